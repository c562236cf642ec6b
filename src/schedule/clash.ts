import type { Clash } from '../model/conflict.ts';
import { taskKey, type TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';

/** The conflict that a task's own branch is in: foreseen, or found and not taken up by an agent yet. Null: none. */
export function clashOf({ progress, feedback }: Task): Clash | null {
  if ('predicted' in progress) return progress.predicted?.clash ?? null;
  if (progress.at !== 'open' && progress.at !== 'parked') return null;
  if (feedback?.why !== 'conflict') return null;
  const { clash } = feedback;
  // A person may have sent it on since.
  return progress.at === 'open' ? { ...clash, next: 'agent' } : clash;
}

/** The other side of what is foreseen: for each task, the clashes of those that will have to give way to it. */
export function clashesAgainst(state: State): Map<TaskKey, Clash[]> {
  const against = new Map<TaskKey, Clash[]>();
  for (const key of state.active) {
    const task = state.tasks.get(key);
    if (task === undefined || !('predicted' in task.progress)) continue;
    const clash = clashOf(task);
    for (const { task: id } of clash?.theirs ?? []) {
      const other = taskKey(task.spec.project, id);
      if (clash !== null) against.set(other, [...(against.get(other) ?? []), clash]);
    }
  }
  return against;
}

/** For a column: `Conflict409(src/a.ts <- S01)`; the arrow comes from who goes first. */
export function shortClash({ code, conflicts, theirs }: Clash): string {
  const path = conflicts[0]?.path ?? '';
  const more = conflicts.length > 1 ? `, +${conflicts.length - 1}` : '';
  const others = theirs.map(({ task }) => task).join(', ');
  return `Conflict${code}(${path}${more}${others === '' ? '' : ` <- ${others}`})`;
}
