/** Which command proves a merged tree. */
import type { State } from '../model/state.ts';
import { type Project, type Task, undoOf } from '../model/task.ts';

/**
 * The task's own command, or the project's where it delivers (no task). A task that is taken out cannot prove the tree
 * without it: there it is the project's command, and where the project has none, those of all that stays.
 */
export function gateVerify(state: State, task: Task | undefined, { config }: Project): string | null {
  if (task === undefined) return config.verify;
  if (undoOf(task.progress) === undefined) return task.spec.verify ?? config.verify;
  return config.verify ?? joined(state, task) ?? task.spec.verify;
}

/** Each distinct command of the project's merged tasks, one after the other, up to the first that fails. */
function joined(state: State, { spec: { project } }: Task): string | null {
  const commands = new Set<string>();
  for (const { spec, progress } of state.tasks.values()) {
    if (spec.project === project && progress.at === 'merged' && spec.verify !== null)
      commands.add(spec.verify);
  }
  if (commands.size === 0) return null;
  // A line of its own each: a comment at the end of a command must not swallow what follows.
  return [...commands].map((command) => `(\n${command}\n)`).join(' &&\n');
}
