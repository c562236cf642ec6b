/** A memory as it was before a turn, for when that turn comes to nothing. Its members hold what is never changed in place. */
import type { Memory } from './memory.ts';

type Member = Map<unknown, unknown> | Set<unknown>;
type Members = Readonly<Record<string, Member>>;

/** @returns what makes the memory again what it is now. Taken before every turn: what is empty, as most is, costs nothing. */
export function keepMemory(memory: Memory): () => void {
  // Runs alone are changed in place.
  const runs = Array.from(
    memory.controls,
    ([name, run]) => [name, { ...run, copies: new Map(run.copies), breaks: new Map(run.breaks) }] as const,
  );
  const members = memory as unknown as Members;
  const kept: [name: string, before: Member][] = [];
  for (const [name, member] of Object.entries(members)) {
    if (member.size > 0) kept.push([name, member instanceof Map ? new Map(member) : new Set(member)]);
  }
  return () => {
    for (const member of Object.values(members)) member.clear();
    for (const [name, before] of kept) refill(members[name], before);
    for (const [name, run] of runs) memory.controls.set(name, run);
  };
}

function refill(member: Member | undefined, before: Member): void {
  if (member instanceof Map)
    for (const [key, value] of before as Map<unknown, unknown>) member.set(key, value);
  else if (member !== undefined) for (const one of before as Set<unknown>) member.add(one);
}
