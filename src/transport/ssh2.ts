import type { Client, ClientChannel } from 'ssh2';
import { DispatchError } from '../model/error.ts';
import { timedOut, unreachable } from './ssh-failure.ts';
import { doorOf, type SshSettings } from './ssh-settings.ts';
import { login, Route } from './ssh2-login.ts';
import type { ByteStream, Closed, Door, Transport } from './transport.ts';

/** All of opening: every jump host, login and the channel. Each step has a shorter deadline of its own. */
const OPEN_MS = 60_000;
/** How long after the end unread bytes may still be taken. */
const LINGER_MS = 500;

/** A connection in this process: no ssh process per node, and the errors tell what they are. */
export class Ssh2Transport implements Transport {
  readonly door: Door | null;
  readonly #settings: SshSettings;

  constructor(settings: SshSettings) {
    this.#settings = settings;
    this.door = doorOf(settings);
  }

  async open(signal?: AbortSignal): Promise<ByteStream> {
    const route = new Route();
    const stop = abortable(route, signal, this.#settings.target);
    try {
      const client = await Promise.race([login(this.#settings, route), stop.failed]);
      const channel = await Promise.race([shell(client, this.#settings.target), stop.failed]);
      return streamOf(client, channel, route);
    } catch (error) {
      route.close();
      throw error;
    } finally {
      stop.release();
    }
  }

  describe(): string {
    const { user, hostname, port, proxyJump, proxyCommand } = this.#settings;
    const via = proxyCommand !== null ? ' through its ProxyCommand' : '';
    const hops = proxyJump.length === 0 ? '' : ` through ${proxyJump.join(', ')}`;
    return `ssh2 to ${user}@${hostname}:${port}${via}${hops}`;
  }
}

interface Stop {
  readonly failed: Promise<never>;
  readonly release: () => void;
}

/** Rejects when the caller gives up or the whole time is over. */
function abortable(route: Route, signal: AbortSignal | undefined, target: string): Stop {
  let release = (): void => {};
  const failed = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(timedOut(target, 'connecting', OPEN_MS)), OPEN_MS);
    const abort = (): void => {
      reject(new DispatchError('E_NODE_DISCONNECTED', `connecting to ${target} was given up`));
      route.close();
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  // It may reject when nobody races it any more.
  failed.catch(() => {});
  return { failed, release };
}

function shell(client: Client, target: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(unreachable(target, 'the connection was closed')));
    const refused = (why: string): DispatchError =>
      new DispatchError('E_NODE_SHELL', `${target} opens no session`, {
        where: target,
        why,
        fix: `check that this prints hello: ssh ${target} echo hello`,
      });
    try {
      client.exec('exec /bin/sh', (error, channel) => {
        // A refused request calls back with `true` instead of an error.
        if (channel === undefined)
          reject(refused(error instanceof Error ? error.message : 'it refuses commands'));
        else resolve(channel);
      });
    } catch (error) {
      // exec throws at once on a connection that ended meanwhile.
      reject(unreachable(target, error instanceof Error ? error.message : String(error)));
    }
  });
}

function streamOf(client: Client, channel: ClientChannel, route: Route): ByteStream {
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  // Undrained stderr would keep the channel from closing.
  channel.stderr.on('data', (bytes: Buffer) => route.tail.push(bytes));
  const closed = new Promise<Closed>((resolve) => {
    const over = (reason: string, exitCode: number | null = null): void => {
      route.close();
      resolve({ reason, problem: null, exitCode });
    };
    channel.once('close', (code?: number | null, signal?: string) =>
      over(endOf(code, signal, route), code ?? null),
    );
    client.once('close', () => {
      const reason = lastLine(route) ?? 'the connection was closed';
      if (route.isClosed) over(reason);
      else setTimeout(over, LINGER_MS, reason).unref();
    });
  });
  return {
    readable: channel,
    writable: channel,
    closed,
    close: () => route.close(),
    stderrTail: () => route.tail.text(),
  };
}

function endOf(code: number | null | undefined, signal: string | undefined, route: Route): string {
  const last = lastLine(route);
  if (typeof code === 'number')
    return `the remote shell ended with exit code ${code}${last === null ? '' : `: ${last}`}`;
  if (typeof signal === 'string') return `the remote shell was ended by ${signal}`;
  return last ?? 'the connection was closed';
}

function lastLine(route: Route): string | null {
  const last = route.tail.text().split('\n').at(-1) ?? '';
  return last === '' ? null : last;
}
