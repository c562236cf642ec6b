import type { Input } from './door.ts';
import { effectBackoff } from './policy.ts';
import type { Turn } from './turn.ts';

/** Frees the effect's key; a failed one backs off. Returns how often in a row it has failed now. */
export function finishEffect(turn: Turn, input: Input): number {
  if (!('key' in input)) return 0;
  const { inflight, retries } = turn.memory;
  inflight.delete(input.key);
  if (input.is !== 'effect.failed' && input.is !== 'start.refused') {
    retries.delete(input.key);
    return 0;
  }
  const tries = (retries.get(input.key)?.tries ?? 0) + 1;
  const at = turn.now + effectBackoff(tries);
  retries.set(input.key, { tries, at });
  turn.wakeAt(at);
  return tries;
}
