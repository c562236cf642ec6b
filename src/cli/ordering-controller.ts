import { DispatchError } from '../model/error.ts';
import { homePaths } from '../controller/paths.ts';
import { isListening } from '../controller/socket.ts';
import { holderOf } from '../store/sqlite/hold.ts';
import type { Context } from './context.ts';

/** A controller listens within this, also with a large home; whoever holds it for longer is something else. */
const BEGINNING_MS = 15_000;
/** A person hears of a wait that can be felt. */
const SAID_AFTER_MS = 1000;
const LOOK_MS = 50;

/**
 * Gives an order to the controller that runs, or becomes the controller; also where another one has just begun, or begins
 * between the question and the attempt: then it is asked once more. @param attempt asks, and becomes one when nobody listens.
 */
export async function orderingController<T>(
  context: Context,
  home: string,
  attempt: () => Promise<T>,
): Promise<T> {
  await awaitController(context, home);
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_CONTROLLER_RUNNING') throw error;
    await awaitController(context, home);
    return attempt();
  }
}

/**
 * A controller holds the home a moment before it listens, and a moment after it has stopped listening: a verb that comes in
 * between waits for the one or the other, so that it is heard, or takes its place. Nobody holds it: no wait.
 */
export async function awaitController({ output }: Context, home: string): Promise<void> {
  const { database, socket } = homePaths(home);
  const began = performance.now();
  for (let said = false; ; ) {
    const pid = holderOf(database);
    if (pid === null || (await isListening(socket))) return;
    const ms = performance.now() - began;
    if (ms > BEGINNING_MS) return;
    if (!said && ms > SAID_AFTER_MS) {
      output.note(`pid ${pid} holds the home and does not listen yet: waiting`);
      said = true;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
