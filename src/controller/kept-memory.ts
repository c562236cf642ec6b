/** A memory as it was before a turn, for when that turn comes to nothing. Its members hold what is never changed in place. */
import type { Memory } from './memory.ts';

type Members = Record<string, Map<unknown, unknown> | Set<unknown>>;

/** @returns what makes the memory again what it is now. */
export function keepMemory(memory: Memory): () => void {
  // Runs alone are changed in place.
  const runs = [...memory.controls].map(
    ([name, run]) => [name, { ...run, copies: new Map(run.copies), breaks: new Map(run.breaks) }] as const,
  );
  const members = Object.entries(memory as unknown as Members).map(
    ([name, member]) => [name, [...member]] as const,
  );
  return () => {
    for (const [name, kept] of members) refill((memory as unknown as Members)[name], kept);
    for (const [name, run] of runs) memory.controls.set(name, run);
  };
}

function refill(member: Map<unknown, unknown> | Set<unknown> | undefined, kept: readonly unknown[]): void {
  member?.clear();
  for (const one of kept) {
    if (member instanceof Map) member.set(...(one as [unknown, unknown]));
    else member?.add(one);
  }
}
