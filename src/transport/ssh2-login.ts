/**
 * Logs in with ssh2: socket, host key, authentication, through jump hosts where the configuration has them. Every
 * socket and process of the way is in one Route, so that closing it leaves nothing behind.
 */
import { lookup } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import ssh2, { type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { DispatchError } from '../model/error.ts';
import { openChild } from './child.ts';
import { algorithmsFor, changedHost, isKnown, type KnownKey, knownKeys, unknownHost } from './known-hosts.ts';
import { credentials } from './ssh-auth.ts';
import { authRefused, PUNISHED, punished, timedOut, unreachable } from './ssh-failure.ts';
import { readSshSettings, type SshSettings } from './ssh-settings.ts';
import { Tail } from './tail.ts';

/** A half-open link is noticed after 20 s even when nothing is asked. */
const KEEPALIVE = { keepaliveInterval: 5000, keepaliveCountMax: 3 };
/** A server's words before the protocol, as far as they are looked at; bytes. */
const GREETING = 200;
/** A chain of jump hosts longer than this is a circle. */
const MAX_HOPS = 8;

/** Everything that was opened on the way to the node, to be closed together. */
export class Route {
  readonly #closers: (() => void)[] = [];
  readonly tail = new Tail();
  #closed = false;

  add(close: () => void): void {
    if (this.#closed) close();
    else this.#closers.push(close);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Last opened first; harmless when called again. */
  close(): void {
    this.#closed = true;
    for (const close of this.#closers.splice(0).reverse()) close();
  }
}

/** @throws DispatchError as Transport.open; the route then still holds what was opened and must be closed. */
export async function login(settings: SshSettings, route: Route, hops = 0): Promise<Client> {
  const known = await knownKeys(settings);
  // Without a recorded key there is nothing to compare with, and no reason to knock at the door.
  if (algorithmsFor(known).length === 0) throw unknownHost(settings);
  const { methods, tried } = await credentials(settings);
  if (methods.length === 0) throw authRefused(settings.target, settings.user, tried);
  const socket = await socketTo(settings, route, hops);
  const client = new ssh2.Client();
  // ssh2 ends the process when nobody listens; this listener outlives the handshake.
  client.on('error', (error) => route.tail.push(Buffer.from(`${error.message}\n`)));
  route.add(() => client.destroy());
  const judge = new HostKeyJudge(settings, known);
  const attempt = { settings, judge, tried, greeting: new Tail(GREETING) };
  await ready(client, attempt, () => {
    client.connect({
      sock: socket,
      username: settings.user,
      authHandler: [...methods],
      algorithms: { serverHostKey: algorithmsFor(known) as ServerHostKeyAlgorithm[] },
      hostVerifier: (key: Buffer) => judge.accepts(key),
      readyTimeout: settings.connectTimeoutMs,
      ...KEEPALIVE,
    });
    // ssh2 tells of words before the protocol only when the protocol follows.
    const note = (bytes: Buffer): void => attempt.greeting.push(bytes.subarray(0, GREETING));
    socket.once('data', note);
  });
  client.setNoDelay(true);
  return client;
}

/** A connected socket (or what stands for one) to the host's ssh port. */
export async function socketTo(settings: SshSettings, route: Route, hops = 0): Promise<Duplex> {
  if (hops >= MAX_HOPS)
    throw new DispatchError(
      'E_SSH_CONFIG',
      `${settings.target} has more than ${MAX_HOPS} jump hosts in a row`,
      {
        fix: `look for a circle of ProxyJump lines: ssh -G ${settings.target}`,
      },
    );
  if (settings.proxyCommand !== null) return proxyCommand(settings, settings.proxyCommand, route);
  if (settings.proxyJump.length > 0) return proxyJump(settings, route, hops);
  return directSocket(settings, route);
}

/** Settings of the last jump host, with the ones before it as its own way. */
export async function jumpSettings(settings: SshSettings): Promise<SshSettings> {
  const before = settings.proxyJump.slice(0, -1);
  const target = settings.proxyJump.at(-1) ?? '';
  const own = await readSshSettings({ target: jumpUri(target), configFile: settings.configFile });
  return before.length === 0 ? own : { ...own, proxyJump: before, proxyCommand: null };
}

/** `user@host:port` of a ProxyJump list is not a target that ssh takes; the same as a URI is. */
function jumpUri(hop: string): string {
  return /:\d+$/.test(hop) && !hop.startsWith('ssh://') ? `ssh://${hop}` : hop;
}

async function proxyJump(settings: SshSettings, route: Route, hops: number): Promise<Duplex> {
  const jump = await login(await jumpSettings(settings), route, hops + 1);
  return new Promise((resolve, reject) => {
    jump.once('close', () => reject(unreachable(settings.target, 'the jump host closed the connection')));
    jump.forwardOut('127.0.0.1', 0, settings.hostname, settings.port, (error, channel) => {
      if (error !== undefined && error !== null)
        return reject(unreachable(settings.target, `through its jump host: ${error.message}`, error));
      channel.on('error', () => {});
      // A socket closes when the other side has ended; a channel waits for us to end too, and ssh2 does not.
      channel.once('end', () => channel.close());
      resolve(channel);
    });
  });
}

function proxyCommand(settings: SshSettings, command: string, route: Route): Duplex {
  const child = openChild({
    argv: ['/bin/sh', '-c', `exec ${command}`],
    env: process.env,
    explain: () => null,
  });
  const duplex = Duplex.from({ readable: child.readable, writable: child.writable });
  duplex.on('error', () => {});
  route.add(() => {
    duplex.destroy();
    child.close();
  });
  void child.closed.then((end) => {
    route.tail.push(Buffer.from(`ProxyCommand of ${settings.target}: ${end.reason}\n`));
    duplex.destroy();
  });
  return duplex;
}

function directSocket(settings: SshSettings, route: Route): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: settings.hostname,
      port: settings.port,
      ...(settings.addressFamily === 'any' ? {} : { family: settings.addressFamily === 'inet' ? 4 : 6 }),
      ...(settings.bindAddress === null ? {} : { localAddress: settings.bindAddress }),
      lookup,
    });
    route.add(() => socket.destroy());
    const where = `${settings.hostname} port ${settings.port}`;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(timedOut(settings.target, `connecting to ${where}`, settings.connectTimeoutMs));
    }, settings.connectTimeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(unreachable(settings.target, `${where}: ${error.code ?? error.message}`, error)),
    );
    socket.once('close', () => {
      clearTimeout(timer);
      reject(unreachable(settings.target, `${where} closed the connection`));
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Compares what the server shows with what is recorded, at the first key exchange and at every later one. */
class HostKeyJudge {
  readonly #settings: SshSettings;
  readonly known: readonly KnownKey[];
  verdict: DispatchError | null = null;

  constructor(settings: SshSettings, known: readonly KnownKey[]) {
    this.#settings = settings;
    this.known = known;
  }

  accepts(offered: Buffer): boolean {
    if (isKnown(this.known, offered)) return true;
    this.verdict = changedHost(this.#settings, this.known, 'the machine shows another key of the same type');
    return false;
  }

  noCommonType(): DispatchError {
    const types = [...new Set(this.known.map((key) => key.type))].join(', ');
    return changedHost(
      this.#settings,
      this.known,
      `the machine has no key of a recorded type any more (${types})`,
    );
  }
}

/** A login under way, as far as it takes to say why it failed. */
interface Attempt {
  readonly settings: SshSettings;
  readonly judge: HostKeyJudge;
  readonly tried: readonly string[];
  /** The first bytes that came. */
  readonly greeting: Tail;
}

function ready(client: Client, attempt: Attempt, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error & { level?: string }): void => {
      // A broken agent is not the end: identity files come next.
      if (error.level !== 'agent') reject(explain(error, attempt));
    };
    client.on('error', failed);
    client.once('close', () =>
      reject(unreachable(attempt.settings.target, 'the connection was closed during the login')),
    );
    client.once('ready', () => {
      client.off('error', failed);
      resolve();
    });
    start();
  });
}

function explain(error: Error & { level?: string }, attempt: Attempt): DispatchError {
  const { settings, judge, tried } = attempt;
  const greeting = attempt.greeting.text();
  if (PUNISHED.test(greeting)) return punished(settings.target, greeting);
  if (judge.verdict !== null) return judge.verdict;
  if (/no matching host key/i.test(error.message)) return judge.noCommonType();
  if (error.level === 'client-authentication' || /too many authentication/i.test(error.message))
    return authRefused(settings.target, settings.user, tried);
  if (error.level === 'client-timeout')
    return timedOut(settings.target, 'the ssh handshake', settings.connectTimeoutMs);
  if (/no matching/i.test(error.message))
    return new DispatchError('E_NODE_UNREACHABLE', `${settings.target} and ssh2 share no algorithm`, {
      where: settings.target,
      why: error.message,
      fix: 'give the node "transport": "openssh" in nodes.json',
    });
  return unreachable(settings.target, error.message, error);
}
