import { DispatchError } from '../model/error.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Welcome } from '../protocol/messages.ts';
import { PROTOCOL } from '../protocol/version.ts';
import { type Choice, chooseTransport } from '../transport/choose.ts';
import { type Connected, connectNode } from './connect.ts';
import { handshake } from './handshakes.ts';
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
 * @throws DispatchError as chooseTransport and connectNode; E_NODE_PROTOCOL when the node speaks another protocol;
 * NodeRefusal `fenced` when a newer controller has been there.
 */
export function openSession(options: OpenOptions): Promise<OpenSession> {
  const { config, epoch, controller, program, timings, signal } = options;
  return handshake(config.name, async () => {
    if (signal?.aborted === true)
      throw new DispatchError('E_NODE_DISCONNECTED', `connecting to ${config.name} was given up`);
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
      const problem =
        error instanceof NodeRefusal && error.code === 'protocol'
          ? otherProtocol(config.name, error.message)
          : error;
      session.end(
        problem instanceof DispatchError
          ? problem
          : new DispatchError('E_NODE_DISCONNECTED', `${config.name} refused the hello: ${String(error)}`),
      );
      await session.closed;
      throw problem;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  });
}

function otherProtocol(name: string, why: string): DispatchError {
  return new DispatchError('E_NODE_PROTOCOL', `${name} does not speak protocol ${PROTOCOL}`, {
    where: name,
    why,
    fix: 'its attempts finish with their own program; when they have ended, a new one is started by itself',
  });
}
