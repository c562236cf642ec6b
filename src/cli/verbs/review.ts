import { DispatchError } from '../../model/error.ts';
import type { ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { selectTask } from '../select.ts';
import { withView } from '../view.ts';

export interface ReviewOptions {
  readonly approve?: boolean;
  /** The reason. */
  readonly reject?: string;
}

/** A person's word on a task that waits for it. */
export async function review(context: Context, typed: string, options: ReviewOptions): Promise<ExitCode> {
  const approved = options.approve === true;
  if (approved === (options.reject !== undefined)) {
    throw new DispatchError('E_USAGE', 'say either --approve or --reject REASON', {
      fix: `dispatch review ${typed} --approve`,
    });
  }
  const key = await withView(context, async ({ state }) => selectTask(state, typed).key);
  const by = context.environment.user;
  const reason = options.reject ?? '';
  const done = approved ? 'approved' : 'rejected';
  return commandEach(context, done, [[key, { verb: 'review', task: key, approved, by, reason }]]);
}
