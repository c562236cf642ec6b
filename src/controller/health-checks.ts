/** What there is to try in a running controller. */
import { randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelUse } from '../model/model-use.ts';
import type { NodeConfig } from '../model/spec.ts';
import { formatSize } from '../model/size.ts';
import { formatDuration } from '../model/time.ts';
import type { AlertRules } from '../spec/alert-settings.ts';
import { loadAlerts, loadHomeConfig } from '../spec/load.ts';
import { systemClock } from './clock.ts';
import { asidesOf, asideText } from './asides.ts';
import { DEGRADED, type PartStanding } from './breakers.ts';
import type { HealthCheck } from './health.ts';
import { diskOf, type LoopDelay } from './measure.ts';
import { homePaths } from './paths.ts';
import type { NodeLook } from './questions.ts';

/** What the checks ask of a session. */
export interface Checked {
  readonly home: string;
  readonly pid: number;
  readonly nodes: () => readonly NodeConfig[];
  readonly looks: () => readonly NodeLook[];
  /** Whose the store is now, and whether its last commit found space. @throws when it is somebody else's. */
  readonly holds: () => Promise<void>;
  /** Nodes that were neither reached nor found unreachable yet. */
  readonly untried: () => readonly string[];
  /** Projects whose hub is in use, and what reads its tip. */
  readonly hubs: () => readonly { readonly project: string; readonly tip: () => Promise<string> }[];
  readonly delay: Pick<LoopDelay, 'p99'>;
  /** Looks at the whole state. @returns what must hold and does not. */
  readonly lookOver: () => ReadonlySet<string>;
  /** Parts of the controller, by name. */
  readonly parts: () => ReadonlyMap<string, PartStanding>;
}

export function readyChecks(checked: Checked): HealthCheck[] {
  const { home, pid, holds, untried, nodes } = checked;
  return [
    { part: 'store', about: null, look: () => writable(home) },
    {
      part: 'controller',
      about: null,
      look: async () => {
        await holds();
        return `pid ${pid} holds the home`;
      },
    },
    {
      part: 'reconciled',
      about: null,
      look: () => {
        const left = untried();
        if (left.length > 0) throw new Error(`still asking ${left.join(', ')} what runs there`);
        return `${nodes().length} ${nodes().length === 1 ? 'node was' : 'nodes were'} asked what runs there`;
      },
    },
  ];
}

/** A file beside the store can be written to the disk itself: what the store does on each commit. */
async function writable(home: string): Promise<string> {
  const file = join(homePaths(home).temporary, `probe-${randomBytes(6).toString('hex')}`);
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile('probe');
    await handle.sync();
  } finally {
    await handle.close();
    await unlink(file);
  }
  return 'can be written';
}

/** With the bounds of alerts.yaml: what is no alert is no fault here either, and a rule that is off finds nothing. */
export async function deepChecks(checked: Checked): Promise<HealthCheck[]> {
  const { home, looks, hubs, delay, parts, lookOver } = checked;
  const [{ config }, { settings }] = await Promise.all([loadHomeConfig(home), loadAlerts(home)]);
  const { rules } = settings;
  return [
    ...looks().map(
      (look): HealthCheck => ({ part: 'node', about: look.name, look: () => nodeText(look, rules) }),
    ),
    ...hubs().map(
      ({ project, tip }): HealthCheck => ({
        part: 'hub',
        about: project,
        look: async () => `integration is at ${(await tip()).slice(0, 12)}`,
      }),
    ),
    { part: 'component', about: null, look: () => partsText(parts()) },
    { part: 'disk', about: null, look: () => diskText(home, rules) },
    { part: 'event-loop', about: null, look: () => delayText(delay, rules) },
    { part: 'invariants', about: null, look: () => doubtText(lookOver()) },
    { part: 'aside', about: null, look: () => asidesText(home) },
    ...Object.values(config.models).map(
      (use): HealthCheck => ({
        part: 'model',
        about: use.purpose,
        look: (signal) => endpointText(use, signal),
      }),
    ),
  ];
}

function nodeText({ connected, trouble, said, silence }: NodeLook, { heartbeat }: AlertRules): string {
  if (!connected) {
    const silent = silence === null ? '' : ` for ${formatDuration(silence.silentMs)}`;
    throw new Error(`no connection${silent}${trouble === null ? '' : `: ${trouble.message}`}`);
  }
  if (said === null) return 'connected, and not looked at yet';
  const ms = systemClock.wall() - said.at;
  if (heartbeat !== null && ms > heartbeat.afterMs)
    throw new Error(`connected, and no word for ${formatDuration(ms)}`);
  return `connected, said ${formatDuration(ms)} ago how it is doing`;
}

/** Whether what the controller does works when it does it; one failure is nothing. */
function partsText(parts: ReadonlyMap<string, PartStanding>): string {
  const failing = [...parts].filter(([, { failures }]) => failures >= DEGRADED);
  if (failing.length === 0) return 'hubs and orders work';
  const said = failing.map(
    ([name, { failures, reason, safe }]) =>
      `${safe === null ? '' : 'safe mode: '}${name} failed ${failures} times in a row: ${reason}`,
  );
  throw new Error(said.join('; '));
}

async function diskText(home: string, { disk: rule }: AlertRules): Promise<string> {
  const disk = await diskOf(home);
  if (disk === null) throw new Error('the disk of the home cannot be asked');
  const text = `${formatSize(disk.free)} of ${formatSize(disk.total)} are free`;
  const percent = (100 * disk.free) / disk.total;
  if (rule !== null && (percent < rule.under || disk.free < rule.leastBytes)) throw new Error(text);
  return text;
}

function delayText(delay: Pick<LoopDelay, 'p99'>, { 'event-loop': rule }: AlertRules): string {
  const ms = delay.p99;
  if (ms === null) return 'no minute was measured yet';
  const text = `one turn in a hundred is ${formatDuration(ms)} late or more`;
  if (rule !== null && ms > rule.overMs) throw new Error(text);
  return text;
}

function doubtText(doubts: ReadonlySet<string>): string {
  const [first] = doubts;
  if (first === undefined) return 'all that must hold of the state holds';
  const more = doubts.size === 1 ? '' : `, and ${doubts.size - 1} more`;
  throw new Error(`safe mode, because what must always hold does not: ${first}${more}`);
}

function asidesText(home: string): string {
  const [first, ...more] = asidesOf(home);
  if (first === undefined) return 'nothing was put aside';
  throw new Error(`${asideText(first)}${more.length === 0 ? '' : `, and ${more.length} more`}`);
}

/** Whether anybody answers there; no key is sent, so a refusal is an answer. */
async function endpointText({ baseUrl, provider }: ModelUse, signal: AbortSignal): Promise<string> {
  const response = await fetch(baseUrl, { method: 'HEAD', redirect: 'manual', signal }).catch(
    (error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined;
      throw new Error(
        `${provider} cannot be reached: ${cause instanceof Error ? cause.message : String(error)}`,
      );
    },
  );
  if (response.status >= 500) throw new Error(`${provider} answers ${response.status}`);
  return `${provider} answers`;
}
