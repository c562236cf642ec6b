import { createHash } from 'node:crypto';
import type { TaskSpec } from '../model/spec.ts';

/** Says whether two sets of specs have the same tasks, owning the same paths, in the same order. 16 hex digits. */
export function planFingerprint(specs: readonly TaskSpec[]): string {
  const facts = specs
    .map(({ id, modifies, expands, dependsOn }) => [id, modifies, expands, [...dependsOn].sort()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/** The line of a plan that says which specs it is of. */
export function fingerprintLine(fingerprint: string): string {
  return `<!-- dispatch:specs ${fingerprint} -->`;
}

/** Which specs a written plan is of; null: it does not say. */
export function fingerprintIn(plan: string): string | null {
  return /^<!-- dispatch:specs ([0-9a-f]{16}) -->\s*$/mu.exec(plan)?.[1] ?? null;
}
