import type { State } from './state.ts';

/**
 * Makes a state what another one is, in place: whoever holds it goes on with it. The other one is not to be used any more.
 * What was derived from the state and kept (see `schedule/forget`) is to be forgotten as well.
 */
export function replaceState(state: State, by: State): void {
  state.epoch = by.epoch;
  refill(state.projects, by.projects);
  refill(state.tasks, by.tasks);
  refill(state.attempts, by.attempts);
  refill(state.nodes, by.nodes);
  refill(state.credentials, by.credentials);
  refill(state.alerts, by.alerts);
  refill(state.dependents, by.dependents);
  refill(state.live, by.live);
  for (const name of ['startable', 'active', 'locked'] as const) refillSet(state[name], by[name]);
  refillSet(state.fenced, by.fenced);
}

function refill<K, V>(map: Map<K, V>, by: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of by) map.set(key, value);
}

function refillSet<T>(set: Set<T>, by: ReadonlySet<T>): void {
  set.clear();
  for (const member of by) set.add(member);
}
