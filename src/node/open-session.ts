import { DispatchError } from '../model/error.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Welcome } from '../protocol/messages.ts';
import { PROTOCOL } from '../protocol/version.ts';
import { type Choice, chooseTransport } from '../transport/choose.ts';
import { type Connected, connectNode } from './connect.ts';
import { handshake, type Lane } from './handshakes.ts';
import type { NodeProgram } from './program.ts';
import { NodeRefusal } from './refusal.ts';
import { Session, type SessionTimings } from './session.ts';

export interface OpenOptions {
  readonly config: NodeConfig;
  readonly epoch: number;
  /** Names this controller to the node, for its records. */
  readonly controller: string;
  readonly program: NodeProgram;
  readonly timings: SessionTimings;
  /** `failing` for a node that could not be reached lately. */
  readonly lane?: Lane;
  /** Aborted when it is seen to be back while it waits for its turn. */
  readonly hurry?: AbortSignal;
  /** It is its turn. */
  readonly onTurn?: () => void;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenSession {
  readonly session: Session;
  readonly welcome: Welcome;
  readonly choice: Choice;
  readonly connected: Connected;
  /** Milliseconds of the hello's round trip, in which the supervisor is started if none lives. */
  readonly helloMs: number;
}

/**
 * Choose, connect, ship, hello: one login at its turn.
 * @throws DispatchError as chooseTransport and connectNode; E_NODE_START when the worker ends before its hello;
 * E_NODE_PROTOCOL when it speaks another protocol.
 */
export function openSession(options: OpenOptions): Promise<OpenSession> {
  const { config, lane = 'fresh', signal, hurry, onTurn } = options;
  const login = (): Promise<OpenSession> => {
    onTurn?.();
    return open(options);
  };
  return handshake(config.name, lane, login, signal, hurry);
}

async function open({
  config,
  epoch,
  controller,
  program,
  timings,
  signal,
}: OpenOptions): Promise<OpenSession> {
  const choice = await chooseTransport(config);
  const connected = await connectNode(choice.transport, {
    name: config.name,
    root: config.root,
    program,
    signal,
  });
  const session = new Session(config.name, connected.stream, connected.rest, timings);
  const giveUp = (): void =>
    session.end(new DispatchError('E_NODE_DISCONNECTED', `connecting to ${config.name} was given up`));
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const began = performance.now();
    const welcome = await session.call({ op: 'hello', protocol: PROTOCOL, epoch, controller });
    if (welcome.protocol !== PROTOCOL) throw otherProtocol(config.name, `it speaks ${welcome.protocol}`);
    return { session, welcome, choice, connected, helloMs: performance.now() - began };
  } catch (error) {
    const problem = helloProblem(config.name, error, session);
    session.end(problem);
    await session.closed;
    throw problem;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

function helloProblem(name: string, error: unknown, session: Session): DispatchError {
  if (error instanceof NodeRefusal)
    return error.code === 'protocol'
      ? otherProtocol(name, error.message)
      : new DispatchError('E_NODE_START', `${name} refused the hello (${error.code}): ${error.message}`, {
          where: name,
        });
  if (!(error instanceof DispatchError)) throw error;
  if (error.code !== 'E_NODE_DISCONNECTED' || session.exitCode === null) return error;
  if (error.message.includes('no space left'))
    return new DispatchError('E_NODE_NO_SPACE', `${name} has no space left for the worker`, {
      where: name,
      why: error.message.slice(error.message.lastIndexOf('no space left')),
      fix: `free some space on ${name}; what runs there is taken up again then`,
      cause: error,
    });
  return new DispatchError('E_NODE_START', `the worker on ${name} ended before it said hello`, {
    where: name,
    why: error.message,
    fix: `look into run/supervisor.log under the worker's directory on ${name}`,
    cause: error,
  });
}

function otherProtocol(name: string, why: string): DispatchError {
  return new DispatchError('E_NODE_PROTOCOL', `${name} does not speak protocol ${PROTOCOL}`, {
    where: name,
    why,
    fix: 'its attempts finish with their own program; when they have ended, a new one is started by itself',
  });
}
