/**
 * Brings an attempt's branch from its node into the hub and judges it there, by the facts that git's own objects give
 * and by rules that the branch cannot touch. The node judged it too, but a node is where agents run: its word is a hint.
 */
import { rm } from 'node:fs/promises';
import type { BranchFacts } from '../gates/facts.ts';
import { type GateRules, judge } from '../gates/judge.ts';
import { isTestPath } from '../gates/test-path.ts';
import type { Finding } from '../model/attempt.ts';
import { DispatchError } from '../model/error.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork, WorkFacts } from './work.ts';

/** @throws when the node or the disk failed: the same may be tried again. */
export async function collect(effect: HubEffectOf<'collect'>, work: HubWork): Promise<HubResult> {
  const { key, token, head } = effect;
  const attempt = work.attempt(token);
  try {
    if (!(await fetchResult(effect, work, attempt))) return { is: 'collect.gone', key, token };
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_BUNDLE_MISMATCH') throw error;
    return { is: 'collected', key, token, head, changed: 0, findings: [unusable(error)], absent: true };
  }
  const facts = await work.hub.facts(attempt.base, head, ...attempt.commands);
  const findings = judge(facts, attempt.rules);
  const paths = facts.changed.slice(0, PATHS_KEPT).map(({ path }) => path);
  const drops = deletesListedTests(facts, attempt.rules) ? { dropsTests: true as const } : {};
  return { is: 'collected', key, token, head, changed: facts.changed.length, findings, paths, ...drops };
}

/** True when the branch deletes a file of tests that its spec names: a glob is no intention to have fewer. */
function deletesListedTests({ changed }: BranchFacts, { modifies }: GateRules): boolean {
  const listed = new Set(modifies);
  return changed.some(({ status, path }) => status === 'D' && listed.has(path) && isTestPath(path));
}

/** Changed paths that are kept for the report. */
const PATHS_KEPT = 100;

/** @returns false when the node does not have the result any more. */
async function fetchResult(
  { token, head }: HubEffectOf<'collect'>,
  { hub, bundleFile, getBundle }: HubWork,
  { base }: WorkFacts,
): Promise<boolean> {
  if (await hub.keepIfPresent(token, head, base)) return true;
  const file = bundleFile();
  try {
    const have = [...new Set([base, await hub.integration()])];
    if (!(await getBundle(token, have, file))) return false;
    await hub.importBundle(file, token, head, base);
    return true;
  } finally {
    await rm(file, { force: true });
  }
}

/** What a node sent and no second try makes better. */
function unusable(error: DispatchError): Finding {
  return {
    gate: 'commit',
    path: null,
    line: null,
    message: `${error.message}: ${error.why ?? 'unknown reason'}`,
    fix: 'commit the work on top of the commit that the attempt started from',
  };
}
