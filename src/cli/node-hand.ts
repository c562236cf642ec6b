/**
 * A verb's own hand on a node, to look and not to change: epoch 0 is answered by a node whatever controller it knows,
 * and takes nothing away from the controller that runs.
 */
import { DispatchError } from '../model/error.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { NodeLink } from '../node/link.ts';
import { openSession } from '../node/open-session.ts';
import { loadProgram } from '../node/program.ts';
import { NodeRefusal } from '../node/refusal.ts';
import { disconnected, type Session, SESSION_TIMINGS } from '../node/session.ts';

/** One connection, used and given back. @throws as openSession; E_NO_ATTEMPT when the node knows none of that token. */
export async function withNodeSession<T>(
  config: NodeConfig,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { session } = await openSession({
    config,
    epoch: 0,
    controller: 'look',
    program: await loadProgram(),
    timings: SESSION_TIMINGS,
  });
  try {
    return await use(session);
  } catch (thrown) {
    throw asRefusedError(config, thrown);
  } finally {
    session.end(disconnected(config.name, 'the verb is done'));
    await session.closed;
  }
}

/** A connection that comes back by itself after a cut, for what goes on for long. */
export async function withNodeLink<T>(
  config: NodeConfig,
  state: State,
  onTrouble: (message: string) => void,
  use: (link: NodeLink) => Promise<T>,
): Promise<T> {
  const known = state.nodes.get(config.name);
  let done = false;
  const tell = (problem: DispatchError): void => {
    if (!done) onTrouble(problem.message);
  };
  const link = new NodeLink({
    config,
    epoch: 0,
    controller: 'look',
    program: await loadProgram(),
    // The journal is the controller's business: only what comes from now on is sent at all.
    cursor: () => ({ journal: known?.journal ?? null, seq: known?.cursor ?? 0 }),
    onUp: () => {},
    onDown: tell,
    onNews: () => {},
    onTrouble: tell,
  });
  link.start();
  try {
    return await use(link);
  } catch (thrown) {
    throw asRefusedError(config, thrown);
  } finally {
    done = true;
    await link.stop();
  }
}

function asRefusedError(config: NodeConfig, thrown: unknown): unknown {
  if (!(thrown instanceof NodeRefusal)) return thrown;
  return new DispatchError('E_NO_ATTEMPT', `${config.name} says no: ${thrown.message}`, {
    where: config.name,
    why: thrown.code === 'unknown' ? 'its log was swept, or the attempt never began there' : thrown.code,
    fix: 'dispatch nodes probe',
    cause: thrown,
  });
}
