/**
 * The gates that need no command: they judge what a branch changed, from facts read out of git objects. Everything
 * wrong is found in one go, so that one round of feedback can mend it. The same code runs on the node, where it advises
 * the agent, and in the hub, where it decides.
 */
import type { Finding } from '../model/attempt.ts';
import type { GateSettings, PlaceholderAllow } from '../model/spec.ts';
import { blobFindings } from './blobs.ts';
import { commitFindings } from './commit.ts';
import { contentFindings } from './content.ts';
import type { BranchFacts } from './facts.ts';
import { placeholderFindings } from './placeholder.ts';
import { manifestFindings } from './manifests.ts';
import { scopeFindings } from './scope.ts';
import { secretFindings } from './secrets.ts';

/** What a branch is judged by. All of it comes from the spec and the base, nothing from the branch. */
export interface GateRules {
  readonly modifies: readonly string[];
  /** Paths that the task may ask for: a change waits for approval. */
  readonly expands: readonly string[];
  /** Paths any task may touch besides its `modifies`. */
  readonly allowedExtras: readonly string[];
  /** A change of these waits for a person's approval unless `modifies` lists the path literally. */
  readonly protectedPaths: readonly string[];
  readonly placeholderAllow: readonly PlaceholderAllow[];
  readonly gates: GateSettings;
}

/**
 * Everything wrong with the branch, by gate, then in the order of the diff; empty means that it may go on to verify.
 * Findings with `approval` are not wrong: alone they let it go on too, but a person has to approve before it merges.
 */
export function judge(facts: BranchFacts, rules: GateRules): Finding[] {
  return [
    commitFindings(facts),
    scopeFindings(facts.changed, rules, facts.gateFiles),
    contentFindings(facts),
    blobFindings(facts, rules),
    manifestFindings(facts.manifests, rules.modifies),
    secretFindings(facts.added, rules.gates.secretAllow),
    placeholderFindings(facts.added, rules.placeholderAllow),
  ].flatMap((findings) => [
    ...capped(findings.filter(({ approval }) => approval !== true)),
    ...capped(findings.filter(({ approval }) => approval === true)),
  ]);
}

/** Findings of one gate that are kept: they are stored and sent, and nobody reads the ten-thousandth. */
const KEPT = 100;

function capped(findings: readonly Finding[]): readonly Finding[] {
  const last = findings[KEPT];
  if (last === undefined) return findings;
  const message = `and ${findings.length - KEPT} more of the same kind`;
  return [...findings.slice(0, KEPT), { ...last, path: null, line: null, message, fix: null }];
}
