import type { ExitCode } from '../../model/exit.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { selectTask } from '../select.ts';
import { withView } from '../view.ts';

/** Gives tasks another try; they start when a controller runs. */
export async function retry(context: Context, typed: readonly string[]): Promise<ExitCode> {
  const keys = await withView(context, async ({ state }) => typed.map((name) => selectTask(state, name).key));
  const by = context.environment.user;
  return commandEach(
    context,
    'open again',
    keys.map((key) => [key, { verb: 'retry', task: key, by }]),
  );
}
