/** A person's word on a task that waits for it; without one, what the person is asked. */
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { effectOf, itemOf, type QueueItem } from '../../review/queue.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { dossierOf } from '../review/dossier.ts';
import { dossierLines } from '../review/screen.ts';
import { handBack, takeOver, takenLines } from '../review/take.ts';
import { selectTask } from '../select.ts';
import { type HomeView, withView } from '../view.ts';

export interface ReviewOptions {
  readonly approve?: boolean;
  /** The reason. */
  readonly reject?: string;
  readonly take?: boolean;
  readonly handBack?: boolean;
  /** Directory of `take` and `handBack`. */
  readonly into?: string;
}

export async function review(context: Context, typed: string, options: ReviewOptions): Promise<ExitCode> {
  const { approve, reject, take, handBack: hand } = options;
  const said = [approve, reject, take, hand].filter((one) => one !== undefined);
  if (said.length > 1 || reject?.trim() === '') {
    throw new DispatchError('E_USAGE', 'say one of --approve, --reject REASON, --take, --hand-back', {
      fix: `dispatch review ${typed} --approve`,
    });
  }
  const by = context.environment.user;
  const { item, commit } = await withView(context, async (view) => {
    const found = waitingItem(view, typed);
    if (said.length === 0) await showAsked(context, view, found);
    if (take === true) {
      const taken = await takeOver(context, view, found, options.into);
      if (context.output.machine) context.output.envelope('Taken', taken);
      else for (const line of takenLines(taken)) context.output.line(line);
    }
    return { item: found, commit: hand === true ? await handBack(context, view, found, options.into) : null };
  });
  const key = item.task;
  if (commit !== null)
    return commandEach(context, 'handed back; its gates run on it like on any attempt', [
      [key, { verb: 'hand-back', task: key, commit, by }],
    ]);
  if (approve === undefined && reject === undefined) return EXIT.ok;
  const approved = approve === true;
  const done = `${approved ? 'approved' : 'rejected'}: ${effectOf(item.at, approved)}`;
  return commandEach(context, done, [
    [key, { verb: 'review', task: key, approved, by, reason: reject ?? '' }],
  ]);
}

function waitingItem({ state }: HomeView, typed: string): QueueItem {
  const task = selectTask(state, typed);
  const project = state.projects.get(task.spec.project);
  const item = project === undefined ? null : itemOf(task, project);
  if (item !== null) return item;
  throw new DispatchError('E_WRONG_STATE', `${task.key} does not wait for a review`, {
    fix: `dispatch why ${task.key}`,
  });
}

async function showAsked(context: Context, view: HomeView, item: QueueItem): Promise<void> {
  const { output } = context;
  const now = Date.now();
  const dossier = await dossierOf(view, item, now);
  if (output.machine) {
    const progress = view.state.tasks.get(item.task)?.progress;
    const approvals = progress?.at === 'review' ? (progress.approvals ?? []) : [];
    return output.envelope('Review', { ...dossier, head: dossier.commit, approvals });
  }
  const size = { columns: output.terminal.columns, rows: null };
  for (const line of dossierLines(dossier, now, size, output.paint)) output.line(line);
  output.line(
    output.paint.dim(`  dispatch review ${item.task} --approve   or   --reject REASON   or   --take`),
  );
}
