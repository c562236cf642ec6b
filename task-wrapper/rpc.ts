/**
 * Joins a controller's stream (stdin, stdout) to the supervisor's socket, starting the supervisor when none lives. After
 * that it only copies bytes.
 *
 * A supervisor of another program is asked to hand over first: it closes its journal and leaves, running attempts stay,
 * and the one started here adopts them. (It stays when others are connected and both speak the same protocol.) A supervisor may also leave on its own in the moment of connecting, so what was
 * sent is kept until its first answer, and sent again to the next one.
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { encodeMessage } from '../src/protocol/frame.ts';
import { readIfThere } from './durable.ts';
import { freeSpace } from './probe.ts';
import { installProgram, type Program, thisProgram } from './program.ts';
import type { Root } from './root.ts';
import { endSupervisor, isSupervisorStopped, Silence } from './silence.ts';
import type { SuperviseOptions } from './supervise.ts';
import type { Handover } from './stream.ts';
import { cleanEnv, SUPERVISOR, tmux, writeConfig } from './tmux.ts';
import { continueServer } from './tmux-stopped.ts';

/** A supervisor that has been started answers within this; under load a Node.js takes seconds to start. */
const START_MS = 30_000;
/** Between looks where the file system reports no changes. */
const LOOK_MS = 250;
/** What a supervisor needs to start at all: its lock, its journal's first lines, a few sockets. */
const LEAST_BYTES = 256 * 1024;
const LEAST_FILES = 32;
/** A supervisor that was asked to leave has this long for it. */
const HANDOVER_MS = 20_000;

export interface RpcOptions {
  /** How long a supervisor that was stopped may leave a question unanswered, milliseconds. */
  readonly stoppedMs: number;
}

/** @param pass arguments for a supervisor that is started here. @throws Error when none can be started. */
export async function rpc(root: Root, pass: readonly string[], { stoppedMs }: RpcOptions): Promise<void> {
  const program = installProgram(root, thisProgram());
  await handover(root, program, false);
  const kept: Buffer[] = [];
  for (let tries = 1; ; tries += 1) {
    const socket = await reach(root, program, pass);
    const [isHeld, giveUp] = [() => socket.isPaused(), () => void socket.destroy()];
    const silence = new Silence({ root, stoppedMs, isHeld, giveUp });
    const isOver = await copy(socket, kept, silence);
    silence.over();
    if (isOver) return;
    if (tries === 5) throw new Error('the supervisor leaves as soon as it is reached; see its log in run/');
  }
}

/** Makes sure that a supervisor lives, whatever its program: launch.sh calls this when there is nobody to wake. */
export async function revive(root: Root, replace: boolean, pass: readonly string[]): Promise<void> {
  const program = installProgram(root, thisProgram());
  if (replace) await handover(root, program, true);
  const socket = await reach(root, program, pass);
  socket.destroy();
}

/** Has the running supervisor replaced by one inside the tmux server, which is started when it is gone. */
export function replaceSupervisor(
  root: Root,
  program: Program,
  { idleMs, reserve, silentMs, diskMs, quietMs, stoppedMs }: SuperviseOptions,
): void {
  const settings = {
    DISPATCH_IDLE_MS: String(idleMs),
    DISPATCH_RESERVE_BYTES: String(reserve),
    DISPATCH_SILENT_MS: String(silentMs),
    DISPATCH_DISK_MS: String(diskMs),
    DISPATCH_QUIET_MS: String(quietMs),
    DISPATCH_STOPPED_MS: String(stoppedMs),
  };
  const child = spawn(program.node, [program.wrapper, 'revive', '--replace', '--root', root.path], {
    detached: true,
    stdio: 'ignore',
    env: { ...cleanEnv(), ...settings },
  });
  child.on('error', () => {});
  child.unref();
}

async function handover(root: Root, program: Program, force: boolean): Promise<void> {
  const hash = readIfThere(`${root.run}/supervisor`)?.split('\n')[3];
  if (!force && (hash === undefined || hash === program.hash)) return;
  const socket = await tryConnect(root.socket);
  if (socket === null) return;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      // Its end is the end of the connection.
      if (isSupervisorStopped(root)) endSupervisor(root, 'was stopped when it was to hand over');
      else reject(new Error('the running supervisor does not hand over'));
    }, HANDOVER_MS);
    socket.once('close', () => {
      clearTimeout(late);
      resolve();
    });
    socket.on('error', () => {});
    // Its process leaves without another word: the end of the connection is its end.
    socket.once('end', () => socket.destroy());
    // It has others to serve and speaks the same protocol: then it serves this one too.
    socket.once('data', () => socket.destroy());
    const { hash: asking, protocol } = program;
    socket.write(encodeMessage({ handover: { program: asking, protocol, force } satisfies Handover }));
  });
}

/** A connection to whoever supervises, after starting one where needed. */
async function reach(root: Root, program: Program, pass: readonly string[]): Promise<Socket> {
  const living = await tryConnect(root.socket);
  if (living !== null) return living;
  refuseWithoutSpace(root);
  continueServer(root);
  writeConfig(root);
  await startSupervisor(root, program, pass);
  return await waitForSocket(root, program, pass);
}

/** A supervisor that cannot write a line would end before it could say why. */
function refuseWithoutSpace(root: Root): void {
  const { bytes, files } = freeSpace(root);
  if (bytes >= LEAST_BYTES && files >= LEAST_FILES) return;
  const left =
    bytes < LEAST_BYTES ? `${Math.floor(bytes / 1024)} KiB are free` : `${files} files can be made`;
  throw new Error(`no space left for the worker: ${left} in ${root.path}`);
}

/** Two that start at once: one session of that name, and one lock. */
async function startSupervisor(root: Root, program: Program, pass: readonly string[]): Promise<void> {
  const argv = [
    ...LEAN,
    program.node,
    ...NODE_FLAGS,
    program.wrapper,
    'supervise',
    '--root',
    root.path,
    ...pass,
  ];
  await tmux(root, ['new-session', '-d', '-s', SUPERVISOR, ...argv]).catch((error: unknown) => {
    if (!String(error).includes('duplicate session')) throw error;
  });
}

/**
 * A supervisor holds little, and small spaces for new objects and one arena for buffers keep it so: with eight attempts on
 * a repository of 5,000 files it stays under 72 MB, against 81 without.
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=512'];
const LEAN = ['/usr/bin/env', 'MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=131072'];

async function waitForSocket(root: Root, program: Program, pass: readonly string[]): Promise<Socket> {
  const until = performance.now() + START_MS;
  let change: () => void = () => {};
  const watcher = watch(root.socket.slice(0, root.socket.lastIndexOf('/')), () => change());
  try {
    for (let looks = 1; ; looks += 1) {
      const changed = new Promise<void>((resolve) => {
        const late = setTimeout(resolve, LOOK_MS);
        change = () => {
          clearTimeout(late);
          resolve();
        };
      });
      const socket = await tryConnect(root.socket);
      if (socket !== null) return socket;
      if (performance.now() > until) throw new Error(`no supervisor answers on ${root.socket}`);
      await changed;
      // The one whose session was there may have been on its way out.
      if (looks % 8 === 0) await startSupervisor(root, program, pass);
    }
  } finally {
    watcher.close();
  }
}

async function tryConnect(path: string): Promise<Socket | null> {
  return await new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => resolve(null));
  });
}

/**
 * Copies until one side ends; false when the supervisor left before its first word.
 * @param kept what the controller has said so far.
 * @param silence is told what was asked and heard.
 */
async function copy(socket: Socket, kept: Buffer[], silence: Silence): Promise<boolean> {
  const { stdin, stdout } = process;
  return await new Promise((resolve) => {
    let answered = false;
    for (const bytes of kept) socket.write(bytes);
    if (kept.length > 0) silence.asked();
    const toSocket = (bytes: Buffer): void => {
      silence.asked();
      if (!answered) kept.push(bytes);
      if (!socket.write(bytes)) {
        stdin.pause();
        socket.once('drain', () => stdin.resume());
      }
    };
    const hangUp = (): void => {
      // It hangs up as well.
      silence.asked();
      socket.end();
    };
    stdin.on('data', toSocket);
    // The copy before this one has paused it, and a new listener alone does not change that.
    stdin.resume();
    stdin.once('end', hangUp);
    socket.on('data', (bytes: Buffer) => {
      answered = true;
      silence.heard();
      kept.length = 0;
      if (!stdout.write(bytes)) {
        socket.pause();
        stdout.once('drain', () => socket.resume());
      }
    });
    stdout.on('error', () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => {
      stdin.off('data', toSocket);
      stdin.off('end', hangUp);
      stdin.pause();
      resolve(answered || stdin.readableEnded);
    });
    socket.once('end', () => socket.end());
  });
}
