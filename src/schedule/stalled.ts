/** Attempts that show no progress, by what a person looks at: a task, a project, a node. */
import type { Attempt } from '../model/attempt.ts';
import { projectOfKey } from '../model/found.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { Stall } from '../model/stall.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';

export interface StalledAttempt {
  readonly attempt: Attempt;
  readonly stall: Stall & { readonly since: number };
}

/** The attempt that is at work for the task, its own or the gate of its merge, when that is stalled. */
export function stalledFor(state: State, { progress }: Task): StalledAttempt | null {
  const token = progress.at === 'attempt' ? progress.token : progress.at === 'gating' ? progress.gate : null;
  return token === null ? null : asStalled(state.attempts.get(token));
}

/** All of a project, the longest silent first. */
export function stalledIn(state: State, project: ProjectName): StalledAttempt[] {
  return [...state.live.keys()]
    .flatMap((node) => stalledOn(state, node))
    .filter(({ attempt }) => projectOfKey(attempt.task) === project)
    .toSorted((a, b) => a.stall.since - b.stall.since);
}

export function stalledOn(state: State, node: NodeName): StalledAttempt[] {
  return [...(state.live.get(node) ?? [])].flatMap((token) => asStalled(state.attempts.get(token)) ?? []);
}

function asStalled(attempt: Attempt | undefined): StalledAttempt | null {
  if (attempt?.phase.is !== 'running' || attempt.phase.stall === undefined) return null;
  return { attempt, stall: attempt.phase.stall };
}
