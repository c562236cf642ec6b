/**
 * What a controller does when something does not hold that must always hold: there is a defect in it, and what it believes
 * may be wrong. It neither goes on as if nothing were, nor ends, which would only begin the same again. It does nothing more
 * that cannot be taken back: no work starts, nothing lands and nothing is reclaimed on a node. What runs goes on, and what
 * it brings is fetched. A person is told what it is, and the next controller looks at the whole state before it believes it.
 */
import type { Effect } from './door.ts';
import type { Memory } from './memory.ts';
import type { Turn } from './turn.ts';

/** More of them say no more. */
const MOST = 20;

export function doubt({ doubts }: Memory, found: readonly string[]): void {
  for (const what of found) if (doubts.size < MOST) doubts.add(what);
}

/** It cannot be taken back, and there is doubt. */
export function isHeldBack({ state, memory }: Turn, effect: Effect): boolean {
  if (memory.doubts.size === 0) return false;
  switch (effect.do) {
    case 'start':
      return state.attempts.get(effect.token)?.work.kind === 'work';
    case 'land':
    case 'deliver':
    case 'forget':
      return true;
    default:
      return false;
  }
}
