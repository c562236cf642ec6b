/** A small controller for the tests: speaks frames over the real rpc program. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '../../src/model/attempt.ts';
import { projectName, taskId, type Token, tokenFrom } from '../../src/model/ids.ts';
import { encodeChunk, encodeMessage, FrameReader } from '../../src/protocol/frame.ts';
import type { FromNode, JournalEntry, Replies, Request } from '../../src/protocol/messages.ts';
import type { AttemptOrder, WorkOrder } from '../../src/protocol/order.ts';
import { PROTOCOL } from '../../src/protocol/version.ts';
import { DEFAULT_SANDBOX } from '../../src/model/sandbox.ts';

export const WRAPPER = join(process.env.DISPATCH_DIST ?? 'dist', 'task-wrapper.mjs');

export class Answer extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A worker's root of its own, and everything that must be gone after the test. */
export class TestNode {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly #clients: Client[] = [];
  readonly #uid: number | undefined;

  /** @param uid account that the worker runs as, where the tests run as root; their own by default. */
  constructor(env: Record<string, string> = {}, uid?: number) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'tw-')));
    this.#uid = uid;
    if (uid !== undefined) chownSync(this.root, uid, uid);
    this.env = { DISPATCH_IDLE_MS: '60000', DISPATCH_RESERVE_BYTES: '1000000', ...env };
  }

  connect(wrapper = WRAPPER): Client {
    const client = new Client(this.root, wrapper, this.env, this.#uid);
    this.#clients.push(client);
    return client;
  }

  /** A client that has said hello and subscribed from `from`. */
  async join(from = 0, epoch = 1, wrapper = WRAPPER): Promise<Client> {
    const client = this.connect(wrapper);
    await client.hello(epoch);
    await client.call({ op: 'subscribe', from });
    return client;
  }

  supervisorPid(): number {
    return Number(readFileSync(`${this.root}/run/supervisor`, 'utf8').split('\n')[0]);
  }

  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', `${this.root}/run/tmux.sock`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  sessions(): string[] {
    try {
      return this.tmux('list-sessions', '-F', '#{session_name}').trim().split('\n');
    } catch {
      return [];
    }
  }

  file(token: Token, name: string): string {
    const path = [`attempts/${token}/${name}`, `done/${token}/${name}`, `trash/${token}/${name}`]
      .map((place) => join(this.root, place))
      .find((place) => existsSync(place));
    return path === undefined ? '' : readFileSync(path, 'utf8');
  }

  /** SIGKILL; settles when it is gone. */
  async killSupervisor(): Promise<void> {
    const pid = this.supervisorPid();
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid));
  }

  /** Makes the time of an attempt over, for the supervisor that finds it next. */
  endTime(token: Token): void {
    const path = join(this.root, 'attempts', token, 'attempt.json');
    const order = JSON.parse(readFileSync(path, 'utf8')) as AttemptOrder;
    writeFileSync(path, JSON.stringify({ ...order, timeoutMs: 0 }));
  }

  /** Ends what the test started, by the processes' own ids: as often as it takes, since one may be starting another just now. */
  async clean(): Promise<void> {
    for (const client of this.#clients) client.close();
    await until(() => {
      this.#endSupervisor();
      try {
        execFileSync('tmux', ['-S', join(this.root, 'run/tmux.sock'), 'kill-server'], { stdio: 'ignore' });
      } catch {
        // No server.
      }
      try {
        rmSync(this.root, { recursive: true, force: true });
      } catch (error) {
        if (!isStillWritten(error)) throw error;
      }
      return !existsSync(this.root);
    });
  }

  #endSupervisor(): void {
    try {
      const pid = this.supervisorPid();
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(this.root)) process.kill(pid, 'SIGKILL');
    } catch {
      // It never lived, or has left.
    }
  }
}

/** Something has made a file there while it was being removed. */
function isStillWritten(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOTEMPTY', 'EBUSY'].includes(String(error.code));
}

export class Client {
  readonly process: ChildProcess;
  readonly events: JournalEntry[] = [];
  readonly closed: Promise<void>;
  stderr = '';
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<
    number,
    { resolve: (reply: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #chunks = new Map<number, Buffer[]>();
  readonly #watchers = new Set<() => void>();
  #next = 1;

  constructor(root: string, wrapper: string, env: Record<string, string>, uid?: number) {
    this.process = spawn(process.execPath, [wrapper, 'rpc', '--root', root], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.process.stdout?.on('data', (bytes: Buffer) => this.#take(bytes));
    this.process.stderr?.on('data', (bytes: Buffer) => {
      this.stderr += bytes.toString('utf8');
    });
    this.process.stdin?.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.process.once('close', () => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`the stream is over: ${this.stderr}`));
        this.#waiting.clear();
        for (const watcher of this.#watchers) watcher();
        resolve();
      });
    });
  }

  hello(epoch = 1): Promise<Replies['hello']> {
    return this.call({ op: 'hello', protocol: PROTOCOL, epoch, controller: 'test' });
  }

  async call<Op extends Request['op']>(request: Extract<Request, { op: Op }>): Promise<Replies[Op]> {
    return await this.begin(request).reply;
  }

  begin<Op extends Request['op']>(
    request: Extract<Request, { op: Op }>,
  ): { id: number; reply: Promise<Replies[Op]> } {
    const id = this.#next++;
    const reply = new Promise<Replies[Op]>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (reply: unknown) => void, reject });
      this.process.stdin?.write(encodeMessage({ id, request }));
    });
    reply.catch(() => {});
    return { id, reply };
  }

  sendBytes(id: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 65_536)
      this.process.stdin?.write(encodeChunk(id, bytes.subarray(at, at + 65_536)));
    this.process.stdin?.write(encodeChunk(id, Buffer.alloc(0)));
  }

  raw(bytes: Buffer): void {
    this.process.stdin?.write(bytes);
  }

  received(id: number): Buffer {
    return Buffer.concat(this.#chunks.get(id) ?? []);
  }

  /** Waits until the condition holds, looking again with every message. */
  async until<T>(condition: () => T | undefined | false | null, what: string, ms = 90_000): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const look = (): void => {
        const value = condition();
        if (value === undefined || value === false || value === null) return;
        done();
        resolve(value);
      };
      const late = setTimeout(() => {
        done();
        reject(new Error(`did not happen: ${what}\n${this.stderr}\n${JSON.stringify(this.events, null, 1)}`));
      }, ms);
      const done = (): void => {
        clearTimeout(late);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  async ended(token: Token, ms = 90_000): Promise<Outcome> {
    return await this.until(() => this.ends(token)[0], `attempt ${token} ends`, ms);
  }

  ends(token: Token): Outcome[] {
    return this.events.flatMap((entry) =>
      entry.type === 'attempt.ended' && entry.token === token ? [entry.outcome] : [],
    );
  }

  close(): void {
    this.process.kill('SIGKILL');
  }

  #take(bytes: Buffer): void {
    for (const frame of this.#reader.push(bytes)) {
      if (frame.kind === 'chunk') {
        this.#chunks.set(frame.id, [...(this.#chunks.get(frame.id) ?? []), Buffer.from(frame.bytes)]);
        continue;
      }
      const message = frame.body as FromNode;
      if ('events' in message) this.events.push(...message.events);
      else {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if ('error' in message) waiting?.reject(new Answer(message.error.code, message.error.message));
        else waiting?.resolve(message.reply);
      }
    }
    for (const watcher of this.#watchers) watcher();
  }
}

/** Polls for what no message announces, with a deadline. */
export async function until(condition: () => boolean, ms = 90_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function newToken(): Token {
  return tokenFrom(randomBytes(16));
}

/** An order for a task without a repository that runs the shell text. */
export function plainOrder(
  script: string,
  change: Partial<AttemptOrder> = {},
  work: Partial<WorkOrder> = {},
): AttemptOrder {
  return {
    protocol: PROTOCOL,
    token: newToken(),
    project: projectName('demo'),
    task: taskId('T1'),
    n: 1,
    epoch: 1,
    timeoutMs: 60_000,
    logCapBytes: 1_000_000,
    work: {
      kind: 'work',
      tree: null,
      spec: 'the spec',
      prompt: 'the prompt',
      executor: shell(script),
      verify: null,
      verifyTimeoutMs: 30_000,
      minTests: 0,
      sandbox: DEFAULT_SANDBOX,
      retries: 0,
      feedback: null,
      ...work,
    },
    ...change,
  };
}

export function shell(script: string): WorkOrder['executor'] {
  return { name: 'replay', kind: 'shell', command: ['sh', '-c', script], env: {}, secrets: {}, model: null };
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
