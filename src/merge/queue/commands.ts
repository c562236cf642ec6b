/**
 * What the gate of a stacked branch runs. A green run lands it together with all below it, so it runs the verify
 * commands of all of them: a branch never lands on the word of another task's command.
 */
import type { CommitId } from '../../model/ids.ts';
import type { Task } from '../../model/task.ts';
import type { Queue, Stacked } from './view.ts';

/**
 * The commands for the gate of `one`, each once, in an order that does not depend on that of the stack. A suspect's are
 * those it was red with: only the same run confirms it.
 */
export function gateCommands({ project, stack }: Queue, one: Stacked): string[] {
  const { aside, red } = one.progress;
  if (red !== null) return [...red.commands];
  const commandOf = ({ spec }: Task): string => spec.verify ?? project.config.verify ?? '';
  const parts = aside === null ? prefixOf(stack, one.progress.commit) : [one];
  return [...new Set(parts.map(({ task }) => commandOf(task)))].toSorted();
}

function prefixOf(stack: readonly Stacked[], commit: CommitId): readonly Stacked[] {
  return stack.slice(0, stack.findIndex(({ progress }) => progress.commit === commit) + 1);
}
