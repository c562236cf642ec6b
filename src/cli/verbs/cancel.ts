import { DispatchError } from '../../model/error.ts';
import type { ExitCode } from '../../model/exit.ts';
import type { State } from '../../model/state.ts';
import { isFinal, type Task } from '../../model/task.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { selectProject, selectTask } from '../select.ts';
import { withView } from '../view.ts';

export interface CancelOptions {
  /** A project, or true for all projects. */
  readonly all?: string | boolean;
  readonly reason?: string;
}

/** Stops tasks. What they did stays in the hub or on the node until it is swept. */
export async function cancel(
  context: Context,
  typed: readonly string[],
  options: CancelOptions,
): Promise<ExitCode> {
  if ((typed.length === 0) === (options.all === undefined)) {
    throw new DispatchError('E_USAGE', 'name tasks, or --all', {
      fix: 'dispatch cancel S03   or   dispatch cancel --all web',
    });
  }
  const tasks = await withView(context, async ({ state }) =>
    typed.length > 0 ? typed.map((name) => selectTask(state, name)) : openTasks(state, options.all),
  );
  const reason = options.reason ?? `cancelled by ${context.environment.user}`;
  return commandEach(
    context,
    'cancelled',
    tasks.map(({ key }) => [key, { verb: 'cancel', task: key, reason }]),
  );
}

function openTasks(state: State, all: CancelOptions['all']): Task[] {
  const project = typeof all === 'string' ? selectProject(state, all).name : null;
  return [...state.tasks.values()].filter(
    ({ spec, progress }) => !isFinal(progress) && (project === null || spec.project === project),
  );
}
