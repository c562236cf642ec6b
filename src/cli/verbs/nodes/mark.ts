import type { ExitCode } from '../../../model/exit.ts';
import type { Context } from '../../context.ts';
import { selectNode } from '../../nodes-file.ts';
import { commandEach } from '../../order.ts';

const DONE = { drain: 'draining', cordon: 'cordoned', none: 'in use again' } as const;

/** Tells the controller to give nodes nothing new, or to use them again. */
export async function mark(
  context: Context,
  names: readonly string[],
  wanted: 'none' | 'cordon' | 'drain',
): Promise<ExitCode> {
  const home = context.home();
  const nodes = await Promise.all(names.map((name) => selectNode(home, name)));
  return commandEach(
    context,
    DONE[wanted],
    nodes.map(({ name }) => [name, { verb: 'mark', node: name, mark: wanted }]),
  );
}
