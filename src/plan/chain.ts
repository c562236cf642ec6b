import { type TaskKey, taskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';

/** Span assumed for a task without an estimate: the size that a good atomic spec has. Milliseconds. */
export const DEFAULT_ESTIMATE_MS = 15 * 60_000;

/**
 * Span of the longest chain of dependents that begins with each task, itself included, milliseconds. Dependencies are
 * visited after all their dependents (Kahn's algorithm from the leaves), so 10,000 tasks take one pass. Tasks on a cycle,
 * which validation refuses anyway, are left out.
 */
export function chainLengths(state: State): Map<TaskKey, number> {
  const chains = new Map<TaskKey, number>();
  const open = new Map<TaskKey, number>();
  const ready: TaskKey[] = [];
  for (const key of state.tasks.keys()) {
    const waiting = state.dependents.get(key)?.size ?? 0;
    if (waiting === 0) ready.push(key);
    else open.set(key, waiting);
  }
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    const task = state.tasks.get(key);
    if (task === undefined) continue;
    let behind = 0;
    for (const dependent of state.dependents.get(key) ?? [])
      behind = Math.max(behind, chains.get(dependent) ?? 0);
    chains.set(key, behind + (task.spec.estimateMs ?? DEFAULT_ESTIMATE_MS));
    for (const dependency of new Set(task.spec.dependsOn)) {
      const needed = taskKey(task.spec.project, dependency);
      const left = (open.get(needed) ?? 0) - 1;
      open.set(needed, left);
      if (left === 0) ready.push(needed);
    }
  }
  return chains;
}
