/**
 * Which finished branch merges next. Dependencies need no rule here: a task starts only when everything it depends on
 * has merged.
 */
import type { Token } from '../model/ids.ts';
import type { Attempt } from '../model/attempt.ts';
import { type Task, undoOf } from '../model/task.ts';
import { doubtOf } from './doubt.ts';

/**
 * How much longer a task of the next lower priority has to wait to count the same, milliseconds. An urgent task passes
 * those that became ready up to this much earlier for each step of priority, and no task is passed for ever.
 */
const AGEING = 15 * 60_000;

/**
 * The same for a branch that is bad for certain, against one that is certainly good: one that is as likely bad as good
 * stands behind others as one of the next lower priority does.
 */
const DOUBT = 30 * 60_000;

type Attempts = ReadonlyMap<Token, Attempt>;

/** The queued task that merges next; undefined when none is queued. Tasks in another state are ignored. */
export function nextToMerge(tasks: Iterable<Task>, attempts: Attempts): Task | undefined {
  const compare = mergeOrder(attempts);
  let first: Task | undefined;
  for (const task of tasks) {
    if (task.progress.at !== 'queued') continue;
    if (first === undefined || compare(task, first) < 0) first = task;
  }
  return first;
}

/**
 * Negative when the first merges before the second. A total order that does not depend on the time at which it is asked.
 * The comparison remembers each task's place, so it is for one look at one state.
 */
export function mergeOrder(attempts: Attempts): (a: Task, b: Task) => number {
  const places = new Map<Task, number>();
  const place = (task: Task): number => {
    const known = places.get(task) ?? placeOf(task, attempts);
    places.set(task, known);
    return known;
  };
  return (a, b) =>
    // 0. What a person wants out of integration, the latest that came in first: nothing later stands on that.
    (undoOf(b.progress)?.when ?? 0) - (undoOf(a.progress)?.when ?? 0) ||
    // 1. Those that a person put in front, the latest wish first.
    (b.front ?? 0) - (a.front ?? 0) ||
    // 2. Oldest first, where every step of priority, and doubt, count as a span of age. Age grows alike for all, so the
    //    order of two tasks never turns while they wait. Never newest first: that starves whoever has waited longest.
    place(a) - place(b) ||
    // 3. At equal age the more urgent one.
    a.spec.priority - b.spec.priority ||
    // 4. The order in which they arrived.
    a.order - b.order;
}

/**
 * Counts from when the task could first start, not from when it was queued: work that had to be done again after a
 * conflict, or that lost a race, keeps its place.
 */
function placeOf(task: Task, attempts: Attempts): number {
  const { progress, spec, readySince, addedAt } = task;
  const attempt = 'token' in progress ? attempts.get(progress.token) : undefined;
  return (readySince ?? addedAt) + spec.priority * AGEING + doubtOf(task, attempt).chance * DOUBT;
}
