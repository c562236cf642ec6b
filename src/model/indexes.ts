/**
 * The indexes of a state as a function of its facts. `evolve` keeps them one event at a time; a store that loads rows
 * and the invariants that check `evolve` build them from scratch with this. Sets hold the same members either way; here
 * they are in order of arrival, while `evolve` has them in the order in which things happened.
 */
import type { Attempt } from './attempt.ts';
import type { TaskKey, Token } from './ids.ts';
import { taskKey } from './ids.ts';
import { NotedSet } from './noted-set.ts';
import type { State } from './state.ts';
import { isFinal, type Task } from './task.ts';

/** All indexes but `fenced`: whether a node has confirmed the end of a fenced attempt is a fact of its own. */
export type Indexes = Pick<State, 'dependents' | 'startable' | 'active' | 'live' | 'locked'>;

/** Builds the indexes over these tasks and attempts; reads them and keeps none of them. */
export function indexesOf(tasks: ReadonlyMap<TaskKey, Task>, attempts: ReadonlyMap<Token, Attempt>): Indexes {
  const indexes: Indexes = {
    dependents: new Map(),
    startable: new NotedSet(),
    active: new Set(),
    live: new Map(),
    locked: new Set(),
  };
  for (const task of tasks.values()) indexTask(indexes, task);
  for (const attempt of attempts.values()) indexAttempt(indexes, attempt);
  return indexes;
}

/** True while the node may still be at work on it: neither ended nor given up. */
export function isLive(attempt: Attempt): boolean {
  return attempt.phase.is === 'claimed' || attempt.phase.is === 'running';
}

function indexTask(indexes: Indexes, task: Task): void {
  const { key, progress, spec } = task;
  for (const id of spec.dependsOn) {
    const dependency = taskKey(spec.project, id);
    const waiting = indexes.dependents.get(dependency);
    if (waiting === undefined) indexes.dependents.set(dependency, new Set([key]));
    else waiting.add(key);
  }
  if (progress.at === 'open' && task.unmet === 0) indexes.startable.add(key);
  if (progress.at !== 'open' && !isFinal(progress)) indexes.active.add(key);
  if (task.locked) indexes.locked.add(key);
}

/** A node that ever had an attempt keeps its (possibly empty) set, as in `evolve`. */
function indexAttempt(indexes: Indexes, attempt: Attempt): void {
  const live = indexes.live.get(attempt.node) ?? new Set<Token>();
  indexes.live.set(attempt.node, live);
  if (isLive(attempt)) live.add(attempt.token);
}
