/** A memory as it was before a turn, for when that turn comes to nothing. Its members hold what is never changed in place. */
import type { Memory } from './memory.ts';

type Member = Map<unknown, unknown> | Set<unknown>;

/**
 * Called before every turn, so what is empty, as most is, costs nothing.
 * @returns what keeps the memory as it is when that is called; what that returns makes it again what it was then.
 */
export function memoryKeeper(memory: Memory): () => () => void {
  const members: readonly Member[] = Object.values(memory);
  return () => {
    // Runs alone are changed in place.
    const runs = Array.from(
      memory.controls,
      ([name, run]) => [name, { ...run, copies: new Map(run.copies), breaks: new Map(run.breaks) }] as const,
    );
    const kept = members.map((member) => (member.size === 0 ? null : copyOf(member)));
    return () => {
      for (const [place, member] of members.entries()) refill(member, kept[place] ?? null);
      for (const [name, run] of runs) memory.controls.set(name, run);
    };
  };
}

function copyOf(member: Member): Member {
  return member instanceof Map ? new Map(member) : new Set(member);
}

function refill(member: Member, before: Member | null): void {
  member.clear();
  if (before === null) return;
  for (const [key, value] of before.entries()) {
    if (member instanceof Map) member.set(key, value);
    else member.add(key);
  }
}
