/**
 * The controller as whatever supervises it sees it: the same command again and again, a life after each death, until it
 * says that there is nothing left to do. Each life tells when it had all nodes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/model/exit.ts';
import type { Home } from '../cluster/home.ts';
import { program } from '../cluster/running.ts';

export interface ControllerOptions {
  /** Words after `dispatch`; `-o ndjson` is among them. */
  readonly args: readonly string[];
  /** Words in front of node: a program that runs it somewhere else. */
  readonly launcher?: readonly string[];
  /** How many nodes make it ready. */
  readonly nodes: number;
  /** From the end of a life to the next one, milliseconds; as a unit's RestartSec. */
  readonly restartMs?: () => number;
}

/** One line of its output. */
export interface Told {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Life {
  readonly pid: number;
  /** All of them `performance.now()`. */
  readonly bornAt: number;
  /** When every node was connected for the first time; null: not yet, or never. */
  readyAt: number | null;
  endedAt: number | null;
  /** Null when a signal ended it, or while it lives. */
  code: number | null;
  stderr: string;
}

/** What supervises a command gives up after so many ends in a row that nobody caused. */
const MOST_OWN_ENDS = 50;
const KEPT_STDERR = 20_000;
const HEAP_PROBE = fileURLToPath(new URL('./heap-probe.mjs', import.meta.url));

export class Controller {
  readonly lives: Life[] = [];
  /** Exit code of the command when it says that it is done. @throws when it ends again and again by itself. */
  readonly over: Promise<number>;
  /** File in which the process that lives now notes its heap after a collection, bytes. */
  readonly heapFile: string;
  readonly #home: Home;
  readonly #options: ControllerOptions;
  #child: ChildProcess | null = null;
  #stopped = false;
  #caused = 0;
  readonly #listeners = new Set<(told: Told) => void>();

  constructor(home: Home, options: ControllerOptions) {
    this.#home = home;
    this.#options = options;
    mkdirSync(join(home.base, 'heap'), { recursive: true });
    this.heapFile = join(home.base, 'heap', `${process.hrtime.bigint()}`);
    this.over = this.#keep();
    // Whoever waits for it is told; nobody may be yet.
    this.over.catch(() => undefined);
  }

  /** The life that is lived now, or was the last. */
  get life(): Life {
    const life = this.lives.at(-1);
    if (life === undefined) throw new Error('it has not begun to live');
    return life;
  }

  /** 0 between two lives. */
  get pid(): number {
    const life = this.lives.at(-1);
    return life === undefined || life.endedAt !== null ? 0 : life.pid;
  }

  /** Ends that nobody caused, before the one that said it was done. */
  get ownEnds(): readonly Life[] {
    return this.lives.filter(({ code, endedAt }) => endedAt !== null && code !== null && !isDone(code));
  }

  /** Hears what it says from now on, until the returned function is called. */
  onTold(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To the process, and not to what supervises it. False when none lives now. */
  signal(signal: NodeJS.Signals): boolean {
    const { pid } = this;
    if (pid === 0) return false;
    this.#caused += 1;
    return this.#child?.kill(signal) ?? false;
  }

  /** What supervises it goes home: the life that is lived now goes on, and none follows. */
  leaveAlone(): void {
    this.#stopped = true;
  }

  /** No life follows this one; it is asked to let go, and killed when it does not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(late);
  }

  async #keep(): Promise<number> {
    for (let ownEnds = 0; ; ) {
      const caused = this.#caused;
      const { code, stderr } = await this.#live();
      if (this.#stopped || (code !== null && isDone(code))) return code ?? EXIT.internal;
      ownEnds = this.#caused === caused ? ownEnds + 1 : 0;
      if (ownEnds >= MOST_OWN_ENDS)
        throw new Error(`the controller ended ${ownEnds} times by itself: ${stderr}`);
      const restMs = this.#options.restartMs?.() ?? 0;
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  async #live(): Promise<Life> {
    const { args, launcher = [], nodes } = this.#options;
    const words = [...launcher, process.execPath, '--import', HEAP_PROBE, program(), ...args];
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd: this.#home.dir,
      env: {
        PATH: process.env.PATH,
        DISPATCH_DIST: process.env.DISPATCH_DIST,
        TERM: 'xterm-256color',
        HOME: join(this.#home.base, 'user'),
        CHAOS_HEAP: this.heapFile,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const bornAt = performance.now();
    const life: Life = { pid: child.pid ?? 0, bornAt, readyAt: null, endedAt: null, code: null, stderr: '' };
    this.lives.push(life);
    const connected = new Set<unknown>();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      life.stderr = (life.stderr + text).slice(-KEPT_STDERR);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = parsed(line);
      if (told === null) return;
      if (told.type === 'News' && told.data.word === 'connected') connected.add(told.data.about);
      if (life.readyAt === null && connected.size >= nodes) life.readyAt = performance.now();
      for (const listener of this.#listeners) listener(told);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    life.endedAt = performance.now();
    life.code = code;
    return life;
  }
}

/** Everything merged, or what is left waits for a person. */
function isDone(code: number): boolean {
  return code === EXIT.ok || code === EXIT.unfinished;
}

/** Null for a line that a killed process left half written. */
function parsed(line: string): Told | null {
  try {
    return JSON.parse(line) as Told;
  } catch {
    return null;
  }
}
