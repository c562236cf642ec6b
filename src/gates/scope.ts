/**
 * The scope gate: every path that a branch touches lies inside what its spec claims. The claim is also the lock that
 * kept other tasks out of these files, so a path outside of it may be changed by someone else at this moment.
 */
import type { Finding } from '../model/attempt.ts';
import { compileMatcher } from '../plan/match.ts';
import type { ChangedPath } from './facts.ts';
import { foldPath } from './fold.ts';
import { showPath } from './show-path.ts';

export interface ScopeRules {
  readonly modifies: readonly string[];
  readonly expands: readonly string[];
  readonly allowedExtras: readonly string[];
  readonly protectedPaths: readonly string[];
}

/**
 * One finding for each touched path that is not claimed, is protected, or is a file that the gate itself runs
 * (`gateFiles`), in the order of the diff. What is not claimed is refused: another task may hold it. What is claimed by
 * a glob but guards everybody, or is only asked for (`expands`), waits for a person.
 */
export function scopeFindings(
  changed: readonly ChangedPath[],
  rules: ScopeRules,
  gateFiles: readonly string[] = [],
): Finding[] {
  const claimed = compileMatcher([...rules.modifies, ...rules.allowedExtras]);
  const protection = protectionOf(rules);
  const asked = compileMatcher(rules.expands);
  const listed = new Set(rules.modifies);
  const gate = new Set(gateFiles.map(foldPath));
  const findings: Finding[] = [];
  for (const [path, change] of touchedPaths(changed)) {
    const guard = protection(path);
    if (!claimed(path) && !asked(path)) findings.push(unclaimedFinding(path, change, rules));
    else if (guard !== null)
      findings.push(approvalFinding(path, change, `is protected by ${showPath(guard)}`));
    else if (gate.has(foldPath(path)) && !listed.has(path))
      findings.push(approvalFinding(path, change, 'is run by the verify command itself'));
    else if (!claimed(path))
      findings.push(approvalFinding(path, change, 'is what the task may only ask for (expands)'));
  }
  return findings;
}

/** Every path whose content, mode or existence changes: a rename touches both its sides, a copy leaves its source alone. */
function touchedPaths(changed: readonly ChangedPath[]): Map<string, ChangedPath> {
  const touched = new Map<string, ChangedPath>();
  for (const change of changed) {
    if (change.status === 'R' && change.oldPath !== null && !touched.has(change.oldPath)) {
      touched.set(change.oldPath, change);
    }
    if (!touched.has(change.path)) touched.set(change.path, change);
  }
  return touched;
}

/**
 * The protected pattern that guards a path, or null. Only a `modifies` that names the very path, or repeats the very
 * pattern, lifts it: a wide glob is no intention to change what guards everybody. A path that becomes a protected one
 * on a file system without case is protected as well.
 */
function protectionOf(rules: ScopeRules): (path: string) => string | null {
  const listed = new Set(rules.modifies);
  const guards = rules.protectedPaths
    .filter((pattern) => !listed.has(pattern))
    .map((pattern) => ({
      pattern,
      exact: compileMatcher([pattern]),
      folded: compileMatcher([foldPath(pattern)]),
    }));
  return (path) => {
    if (listed.has(path)) return null;
    const folded = foldPath(path);
    return guards.find((guard) => guard.exact(path) || guard.folded(folded))?.pattern ?? null;
  };
}

function approvalFinding(path: string, change: ChangedPath, why: string): Finding {
  return {
    gate: 'scope',
    path,
    line: null,
    message: `${showPath(path)} ${verbOf(path, change)}, and it ${why}`,
    fix: `${undoing(path, change)}, unless a person approves it. A spec whose modifies lists this path literally needs no approval.`,
    approval: true,
  };
}

function unclaimedFinding(path: string, change: ChangedPath, rules: ScopeRules): Finding {
  const nearest = nearestPattern(path, [...rules.modifies, ...rules.allowedExtras]);
  return {
    gate: 'scope',
    path,
    line: null,
    message: `${showPath(path)} ${verbOf(path, change)}, but the task does not claim it${nearestNote(path, nearest)}`,
    fix: `${undoing(path, change)}. If the task cannot be done without it, a person has to add the path to the spec's modifies.`,
  };
}

function nearestNote(path: string, nearest: string | null): string {
  if (nearest === null) return ' (it claims nothing)';
  const twin = foldPath(nearest) === foldPath(path);
  return twin
    ? ` (${showPath(nearest)} is claimed, which is another file: the names differ by case or by their Unicode form)`
    : ` (the nearest it claims is ${showPath(nearest)})`;
}

function verbOf(path: string, change: ChangedPath): string {
  if (change.status === 'R')
    return path === change.path
      ? `was renamed from ${showPath(change.oldPath ?? '')}`
      : `was renamed to ${showPath(change.path)}`;
  const verbs = { A: 'was added', M: 'was changed', D: 'was deleted', C: 'was added', T: 'changed its type' };
  return verbs[change.status];
}

function undoing(path: string, change: ChangedPath): string {
  const gone = change.status === 'D' || (change.status === 'R' && path === change.oldPath);
  if (gone) return 'Restore the file as it is in the base';
  return change.status === 'M' || change.status === 'T'
    ? 'Put the file back as it is in the base'
    : 'Remove the file';
}

/** The pattern that shares most leading folders with the path; among these the one with the fewest differing characters. */
function nearestPattern(path: string, patterns: readonly string[]): string | null {
  let best: { pattern: string; shared: number; distance: number } | null = null;
  for (const pattern of patterns.slice(0, PATTERNS_COMPARED)) {
    const shared = sharedFolders(path, pattern);
    if (best !== null && shared < best.shared) continue;
    const distance = editDistance(foldPath(path), foldPath(pattern));
    if (best === null || shared > best.shared || distance < best.distance)
      best = { pattern, shared, distance };
  }
  return best?.pattern ?? null;
}

/** Enough for any spec written by hand; keeps a generated one from costing a second per path. */
const PATTERNS_COMPARED = 200;
const COMPARED_CHARS = 200;

function sharedFolders(path: string, pattern: string): number {
  const a = foldPath(path).split('/');
  const b = foldPath(pattern).split('/');
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return shared;
}

/** Levenshtein's distance, one row at a time; only the first characters of very long texts are compared. */
function editDistance(a: string, b: string): number {
  const from = a.slice(0, COMPARED_CHARS);
  const to = b.slice(0, COMPARED_CHARS);
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
