import { DispatchError } from '../../../model/error.ts';
import { EXIT, type ExitCode } from '../../../model/exit.ts';
import { removeNode } from '../../../spec/nodes.ts';
import type { Context } from '../../context.ts';
import { writeNodes } from '../../nodes/write.ts';
import { readNodes, selectNode } from '../../nodes-file.ts';
import { viewOrNull } from '../../view.ts';

/** Takes a machine out of nodes.json, unless attempts live there: nobody would fetch their results. */
export async function remove(context: Context, typed: string): Promise<ExitCode> {
  const { output } = context;
  const home = context.home();
  const { name } = await selectNode(home, typed);
  const live = await viewOrNull(context, async ({ state }) => [...(state.live.get(name) ?? [])].length);
  if (live !== null && live > 0) {
    throw new DispatchError('E_NODE_BUSY', `${live} attempt${live === 1 ? '' : 's'} run on ${name}`, {
      where: name,
      fix: `dispatch nodes drain ${name}, and remove it when they have ended; if it is gone: dispatch nodes expire ${name}`,
    });
  }
  await writeNodes(home, removeNode(await readNodes(home), name));
  if (output.machine) output.envelope('Node', { name, removed: true });
  else output.line(output.format === 'name' ? name : `removed ${name}`);
  return EXIT.ok;
}
