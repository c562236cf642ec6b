import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { wordLines, wordOfAttempt } from '../agent-word.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { safeLine } from '../render/safe-text.ts';
import { selectTask } from '../select.ts';
import { withView } from '../view.ts';

export interface ReviewOptions {
  readonly approve?: boolean;
  /** The reason. */
  readonly reject?: string;
}

/** A person's word on a task that waits for it; without one, what the person is asked. */
export async function review(context: Context, typed: string, options: ReviewOptions): Promise<ExitCode> {
  if (options.approve === undefined && options.reject === undefined) return showAsked(context, typed);
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

async function showAsked(context: Context, typed: string): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async (view) => {
    const task = selectTask(view.state, typed);
    const { key, progress } = task;
    if (progress.at !== 'review') {
      throw new DispatchError('E_WRONG_STATE', `${key} does not wait for a review`, {
        fix: `dispatch why ${key}`,
      });
    }
    const { head, approvals = [], token } = progress;
    const attempt = view.state.attempts.get(token);
    const word = attempt === undefined ? null : await wordOfAttempt(view, task, attempt);
    if (output.machine) {
      output.envelope('Review', { task: key, head, approvals, word });
      return EXIT.ok;
    }
    output.line(`${output.paint.bold(key)} waits for your approval of ${head.slice(0, 12)}`);
    if (approvals.length === 0) output.line('  the review policy asks for it; its gates found nothing');
    for (const { message } of approvals) output.line(`  ${safeLine(message)}`);
    for (const line of word === null ? [] : wordLines(word)) output.line(`  ${line}`);
    output.line(`  dispatch review ${key} --approve   or   --reject REASON`);
    return EXIT.ok;
  });
}
