/**
 * Which merged work rests on work that was reverted. A task starts only when all that it depends on has merged, so a
 * merged task with a dependency that is not in integration, however far up, rests on what a revert took out. It stays
 * merged: the gates found the tree good without. Whether it still means anything is for a person to say.
 *
 * A revert that is still under way has taken nothing out.
 */
import type { TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { type Task, undoOf } from '../model/task.ts';

/** What each merged task rests on and integration lacks; tasks that rest on nothing of the kind are left out. */
export function restsOnReverted(state: State): ReadonlyMap<TaskKey, readonly TaskKey[]> {
  const resting = new Map<TaskKey, TaskKey[]>();
  for (const task of state.tasks.values()) {
    if (isIn(task)) continue;
    for (const { key } of mergedAbove(task, state)) {
      const missing = resting.get(key);
      if (missing === undefined) resting.set(key, [task.key]);
      else missing.push(task.key);
    }
  }
  return resting;
}

/** The tasks that have merged and depend on the task, however far: what a revert of it would leave without ground. */
export function mergedAbove(task: Task, state: State): Task[] {
  const above: Task[] = [];
  const queue = [task.key];
  const seen = new Set(queue);
  for (const key of queue) {
    for (const next of state.dependents.get(key) ?? []) {
      const dependent = state.tasks.get(next);
      if (dependent === undefined || seen.has(next) || !isIn(dependent)) continue;
      seen.add(next);
      above.push(dependent);
      queue.push(next);
    }
  }
  return above;
}

function isIn({ progress }: Task): boolean {
  return progress.at === 'merged' || undoOf(progress) !== undefined;
}
