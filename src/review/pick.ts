/** Which merged tasks a second model has still to look at. */
import { DEFAULT_LOOK } from '../model/second-look.ts';
import type { State } from '../model/state.ts';
import type { Progress, Project, Task } from '../model/task.ts';
import { isSampled } from './sample.ts';

export interface MergedTask extends Task {
  readonly progress: Extract<Progress, { at: 'merged' }>;
}

export interface PickOptions {
  /** Also those that the sample leaves out. */
  readonly all: boolean;
  /** Also those that were looked at. */
  readonly again: boolean;
}

/** P0 first, then in the order in which they merged. */
export function toLookAt(state: State, { name, config }: Project, { all, again }: PickOptions): MergedTask[] {
  const rules = config.look ?? DEFAULT_LOOK;
  return [...state.tasks.values()]
    .filter((task): task is MergedTask => {
      const { spec, progress, key } = task;
      if (spec.project !== name || progress.at !== 'merged' || progress.commit === null) return false;
      if (progress.look !== undefined && !again) return false;
      return all || isSampled(key, spec.priority, rules);
    })
    .toSorted(
      (a, b) =>
        Number(a.spec.priority !== 0) - Number(b.spec.priority !== 0) || a.progress.when - b.progress.when,
    );
}
