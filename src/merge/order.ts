/**
 * Which finished branch merges next. One at a time, so the order is all there is to decide. Dependencies need no rule
 * here: a task starts only when everything it depends on has merged.
 */
import { type Task, undoOf } from '../model/task.ts';

/**
 * How much longer a task of the next lower priority has to wait to count the same, milliseconds. An urgent task passes
 * those that became ready up to this much earlier for each step of priority, and no task is passed for ever.
 */
const AGEING = 15 * 60_000;

/** The queued task that merges next; undefined when none is queued. Tasks in another state are ignored. */
export function nextToMerge(tasks: Iterable<Task>): Task | undefined {
  let first: Task | undefined;
  for (const task of tasks) {
    if (task.progress.at !== 'queued') continue;
    if (first === undefined || compareForMerge(task, first) < 0) first = task;
  }
  return first;
}

/** Negative when `a` merges before `b`. A total order that does not depend on the time at which it is asked. */
export function compareForMerge(a: Task, b: Task): number {
  return (
    // 0. What a person wants out of integration, the latest that came in first: nothing later stands on that.
    (undoOf(b.progress)?.when ?? 0) - (undoOf(a.progress)?.when ?? 0) ||
    // 1. Those that a person put in front, the latest wish first.
    (b.front ?? 0) - (a.front ?? 0) ||
    // 2. Oldest first, where every step of priority counts as a span of age. Age grows alike for all, so the order of
    //    two tasks never turns while they wait. Never newest first: that starves whoever has waited longest.
    agedReady(a) - agedReady(b) ||
    // 3. At equal age the more urgent one.
    a.spec.priority - b.spec.priority ||
    // 4. The order in which they arrived.
    a.order - b.order
  );
}

/**
 * Counts from when the task could first start, not from when it was queued: work that had to be done again after a
 * conflict, or that lost a race, keeps its place.
 */
function agedReady(task: Task): number {
  return (task.readySince ?? task.addedAt) + task.spec.priority * AGEING;
}
