/** What waits for a person, one screen each. On a terminal with keys, elsewhere as text or JSON. */
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { reviewQueue } from '../../review/queue.ts';
import type { Context } from '../context.ts';
import { type Dossier, dossierOf } from '../review/dossier.ts';
import { dossierLines } from '../review/screen.ts';
import { selectProject } from '../select.ts';
import { viewOrNull } from '../view.ts';

export interface ReviewQueueOptions {
  readonly print?: boolean;
}

export async function reviewQueueVerb(
  context: Context,
  typed: string | undefined,
  options: ReviewQueueOptions,
): Promise<ExitCode> {
  const { output, environment } = context;
  const done = await viewOrNull(context, async (view) => {
    const project = typed === undefined ? null : selectProject(view.state, typed).name;
    const items = reviewQueue(view.state, project);
    const byKeys =
      environment.interactive &&
      environment.stdout.tty &&
      output.format === 'table' &&
      options.print !== true;
    if (byKeys && items.length > 0) {
      const { decideByKeys } = await import('../review/keys.ts');
      await decideByKeys(context, view, project);
      return true;
    }
    const now = Date.now();
    const dossiers: Dossier[] = [];
    for (const item of items) dossiers.push(await dossierOf(view, item, now));
    show(context, dossiers, now);
    return true;
  });
  if (done === null) show(context, [], Date.now());
  return EXIT.ok;
}

function show({ output }: Context, dossiers: readonly Dossier[], now: number): void {
  if (output.format === 'json') return output.envelope('ReviewQueue', dossiers);
  if (output.format === 'ndjson') {
    for (const dossier of dossiers) output.event('Review', dossier);
    return;
  }
  if (output.format === 'name') {
    for (const { task } of dossiers) output.line(task);
    return;
  }
  if (dossiers.length === 0) return output.note('nothing waits for you');
  const size = { columns: output.terminal.columns, rows: null };
  for (const [index, dossier] of dossiers.entries()) {
    if (index > 0) output.line(`\n${'─'.repeat(Math.min(40, size.columns))}\n`);
    for (const line of dossierLines(dossier, now, size, output.paint)) output.line(line);
    output.line(
      output.paint.dim(`  dispatch review ${dossier.task} --approve   or   --reject REASON   or   --take`),
    );
  }
}
