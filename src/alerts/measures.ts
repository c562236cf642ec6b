/** Figures that follow from the state alone. Pure. */
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { isFinal } from '../model/task.ts';
import { projectOfKey } from '../model/found.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import { statuses } from '../schedule/status.ts';

/** Work attempts that ended after `from`; cancelled and given up ones say nothing. */
export function failureRate(state: State, from: number): { failed: number; ended: number } {
  let failed = 0;
  let ended = 0;
  for (const { work, phase } of state.attempts.values()) {
    if (work.kind !== 'work' || phase.is !== 'ended' || phase.at < from) continue;
    if (phase.outcome.kind === 'cancelled') continue;
    ended += 1;
    if (phase.outcome.kind !== 'done') failed += 1;
  }
  return { failed, ended };
}

/** Tasks of the project that go on, or could, without a person. */
export function idleWork(state: State, project: ProjectName): number {
  const ofProject = (keys: Iterable<TaskKey>): TaskKey[] =>
    [...keys].filter((key) => projectOfKey(key) === project);
  const active = ofProject(state.active).filter((key) => {
    const at = state.tasks.get(key)?.progress.at;
    return at !== 'review' && at !== 'parked';
  });
  return active.length + ofProject(state.startable).length;
}

/** Wall clock of the last thing that happened to any task of the project; 0 when nothing has. */
export function lastProgress(state: State, project: ProjectName): number {
  let last = 0;
  for (const { task, claimedAt, startedAt, phase } of state.attempts.values()) {
    if (projectOfKey(task) !== project) continue;
    last = Math.max(last, claimedAt, startedAt ?? 0, 'at' in phase ? phase.at : 0);
  }
  for (const { spec, progress, addedAt } of state.tasks.values()) {
    if (spec.project !== project) continue;
    const at = 'since' in progress ? progress.since : 'when' in progress ? progress.when : 0;
    last = Math.max(last, addedAt, at);
  }
  return last;
}

/** Tasks with a budget, and what their attempts are known to have used. */
export function budgetUse(state: State): { task: TaskKey; used: number; budget: number }[] {
  const used = new Map<TaskKey, number>();
  for (const { task, work, phase } of state.attempts.values()) {
    const budget = state.tasks.get(task)?.spec.budgetTokens ?? null;
    if (budget === null || work.kind !== 'work' || phase.is !== 'ended' || !('usage' in phase.outcome))
      continue;
    const { inputTokens, outputTokens } = phase.outcome.usage ?? { inputTokens: null, outputTokens: null };
    used.set(task, (used.get(task) ?? 0) + (inputTokens ?? 0) + (outputTokens ?? 0));
  }
  return [...used].flatMap(([key, sum]) => {
    const task = state.tasks.get(key);
    const budget = task?.spec.budgetTokens ?? null;
    return task === undefined || budget === null || isFinal(task.progress)
      ? []
      : [{ task: key, used: sum, budget }];
  });
}

export function blockedCount(state: State): number {
  let count = 0;
  for (const word of statuses(state).values()) if (word === 'blocked') count += 1;
  return count;
}

/** Attempts at work, slots of the nodes that take any, and whether anything waits to start. */
export function utilisation({ state, nodes, connected, dispatching }: Snapshot): {
  used: number;
  slots: number;
  waits: boolean;
} {
  const usable = nodes.filter(
    ({ name }) => connected.has(name) && (state.nodes.get(name)?.mark ?? 'none') === 'none',
  );
  const slots = usable.reduce((sum, node) => sum + node.slots, 0);
  const used = usable.reduce((sum, { name }) => sum + (state.live.get(name)?.size ?? 0), 0);
  const waits = [...state.tasks.values()].some(
    ({ progress, spec }) => progress.at === 'open' && dispatching.has(spec.project),
  );
  return { used, slots, waits };
}
