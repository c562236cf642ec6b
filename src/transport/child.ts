/** The only place of this room that starts processes: short ones that are waited for, and long ones that are a stream. */
import { type ChildProcess, spawn } from 'node:child_process';
import { execa } from 'execa';
import type { DispatchError } from '../model/error.ts';
import { Tail } from './tail.ts';
import type { ByteStream, Closed } from './transport.ts';

export interface RunResult {
  /** null when it was killed or could not start. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not start (`ENOENT`) or that its time was over (`ETIMEDOUT`); null when it ran. */
  readonly failed: string | null;
}

/** Runs a program to its end with nothing on stdin. Never throws; `timeoutMs` is its whole time. */
export async function run(program: string, args: readonly string[], timeoutMs: number): Promise<RunResult> {
  const ended = await execa(program, args, {
    stdin: 'ignore',
    env: { LC_ALL: 'C' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 4 << 20,
    reject: false,
    stripFinalNewline: false,
  });
  const { stdout, stderr } = ended;
  if (ended.exitCode !== undefined) return { code: ended.exitCode, stdout, stderr, failed: null };
  const failed = ended.timedOut ? 'ETIMEDOUT' : (ended.code ?? ended.signal ?? 'unknown');
  return { code: null, stdout, stderr, failed };
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Set when the program could not be started at all. */
  readonly failed: string | null;
}

export interface ChildStreamOptions {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What the end of the process means. */
  readonly explain: (end: ChildEnd) => DispatchError | null;
  readonly signal?: AbortSignal | undefined;
}

/** How long a program may keep its output open after it has ended, because something it started holds the other end. */
const LINGER_MS = 500;

/**
 * A child process whose stdin and stdout are the stream. It has a session of its own: Ctrl-C in the user's terminal
 * does not reach it, it cannot ask for a password on that terminal, and `close` ends whatever it started as well.
 */
export function openChild(options: ChildStreamOptions): ByteStream {
  const [program, ...args] = options.argv;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const tail = new Tail();
  child.stderr.on('data', (bytes: Buffer) => tail.push(bytes));
  // A write to a process that has ended fails on the pipe; the end itself is told by `closed`.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
  const closed = ended(child).then((end): Closed => {
    options.signal?.removeEventListener('abort', close);
    return closedBy(program, { ...end, stderr: tail.text() }, options.explain);
  });
  const close = (): void => killGroup(child);
  options.signal?.addEventListener('abort', close, { once: true });
  if (options.signal?.aborted === true) close();
  return {
    readable: child.stdout,
    writable: child.stdin,
    closed,
    close,
    stderrTail: () => tail.text(),
  };
}

type PlainEnd = Omit<ChildEnd, 'stderr'>;

function ended(child: ChildProcess): Promise<PlainEnd> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, failed: error.code ?? error.message });
    });
    child.once('exit', (code, signal) => {
      // 'close' waits until every holder of the pipes is gone; a background process must not keep us waiting for good.
      const linger = setTimeout(() => {
        child.stdin?.destroy();
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LINGER_MS);
      child.once('close', () => {
        clearTimeout(linger);
        resolve({ code, signal, failed: null });
      });
    });
  });
}

/** SIGKILL to the child's whole group: a hung ssh ignores politer signals, and nothing on our side needs cleaning up. */
function killGroup(child: ChildProcess): void {
  child.stdin?.destroy();
  // Unread output would keep the pipe, and with it the end of the process, from being seen.
  child.stdout?.destroy();
  if (child.pid === undefined || isSomebodyElse(child, child.pid)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: the group is gone already.
  }
}

/**
 * The number is not given away while anything is left in the group. So whoever has it after our child has ended is
 * another process, with a group of its own.
 */
function isSomebodyElse({ exitCode, signalCode }: ChildProcess, pid: number): boolean {
  if (exitCode === null && signalCode === null) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function closedBy(program: string, end: ChildEnd, explain: ChildStreamOptions['explain']): Closed {
  const problem = explain(end);
  // 255 is ssh's own way to say that the connection failed.
  const exitCode = end.code === 255 ? null : end.code;
  return { reason: problem?.message ?? reasonOf(program, end), problem, exitCode };
}

function reasonOf(program: string, end: ChildEnd): string {
  if (end.failed !== null) return `${program} could not be started (${end.failed})`;
  if (end.signal !== null) return `${program} was ended by ${end.signal}`;
  const lastLine = end.stderr.split('\n').at(-1) ?? '';
  return `${program} ended with exit code ${end.code}${lastLine === '' ? '' : `: ${lastLine}`}`;
}
