import type { CommitId } from '../model/ids.ts';
import type { Task } from '../model/task.ts';
import { hasCome } from '../model/time.ts';
import type { Queue } from '../merge/queue/view.ts';
import type { Memory } from './memory.ts';

/**
 * Queued branches that can be merged now: not those that do not fit on what is on its way, nor those whose merge has
 * just failed. Nobody waits for these: what is on the stack is gated without them.
 */
export function stackable(memory: Memory, queue: Queue, now: number): Task[] {
  const standing = standingIn(queue);
  return queue.queued.filter(({ progress }) => {
    if (progress.at !== 'queued') return false;
    if (progress.predicted !== undefined && standing.has(progress.predicted.onto)) return false;
    const retry = memory.retries.get(`merge:${progress.token}`);
    return retry === undefined || hasCome(retry.at, now);
  });
}

/** Merges that have been made and may land. */
export function standingIn({ landing, stack, aside }: Queue): ReadonlySet<CommitId> {
  const merged = [...stack, ...aside].map(({ progress }) => progress);
  return new Set([...landing, ...merged].map(({ commit }) => commit));
}
