/** What rescue knows of a home: its store, or where that cannot be read what files and hubs tell. */
import { existsSync } from 'node:fs';
import { homePaths } from '../../controller/paths.ts';
import { DispatchError } from '../../model/error.ts';
import { emptyState, type State } from '../../model/state.ts';
import type { Context } from '../context.ts';
import { nodesOf } from '../nodes-file.ts';
import { safeLine } from '../render/safe-text.ts';
import { type HomeView, withView } from '../view.ts';

export type Scope = Pick<HomeView, 'home' | 'state' | 'nodes'>;

/** A store that nobody can use keeps nobody from what is not in it. */
const UNUSABLE = new Set(['E_NO_STORE', 'E_STORE_DAMAGED', 'E_STORE_FORM', 'E_STORE_VERSION', 'E_STORE_IO']);

/** @throws DispatchError E_NO_HOME; E_NO_STORE where nothing was started ever. */
export async function withScope<T>(context: Context, use: (scope: Scope) => Promise<T>): Promise<T> {
  let lost: DispatchError;
  try {
    return await withView(context, use);
  } catch (thrown) {
    const isLost = thrown instanceof DispatchError && UNUSABLE.has(thrown.code);
    if (!isLost || !existsSync(homePaths(context.home()).repos)) throw thrown;
    lost = thrown;
  }
  const home = context.home();
  const { code, message } = lost;
  context.output.note(
    `${code}: ${safeLine(message)}: what has merged is taken from the hubs, and why the rest has not is not known`,
  );
  return use({ home, nodes: await nodesOf(home), state: await stateOfHubs(context, home) });
}

async function stateOfHubs({ output }: Context, home: string): Promise<State> {
  const { learn } = await import('../../backup/rebuild.ts');
  const { freshMemory } = await import('../../controller/memory.ts');
  const { Turn } = await import('../../controller/turn.ts');
  const state = emptyState();
  const turn = new Turn(state, freshMemory(state), 1, 0);
  turn.record({ type: 'controller.acquired', host: 'none', pid: 0 });
  const { problems } = await learn(turn, { home, repos: homePaths(home).repos });
  for (const problem of problems) output.note(safeLine(problem));
  return state;
}
