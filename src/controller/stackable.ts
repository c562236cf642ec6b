import type { Task } from '../model/task.ts';
import type { Queue } from '../merge/queue/view.ts';
import type { Memory } from './memory.ts';

/**
 * Queued branches that can be merged now: not those that do not fit on what is on the stack, nor those whose merge has
 * just failed. Nobody waits for these: what is on the stack is gated without them.
 */
export function stackable(memory: Memory, queue: Queue, now: number): Task[] {
  const { landing, stack, queued } = queue;
  const standing = new Set(
    [...landing, ...stack.map(({ progress }) => progress)].map(({ commit }) => commit),
  );
  return queued.filter(({ progress }) => {
    if (progress.at !== 'queued') return false;
    const met = memory.unfit.get(progress.token);
    if (met !== undefined && standing.has(met)) return false;
    const retry = memory.retries.get(`merge:${progress.token}`);
    return retry === undefined || retry.at <= now;
  });
}
