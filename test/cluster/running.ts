/** A `dispatch …` that runs: its output as it comes, signals to it, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export interface RunOptions {
  readonly cwd?: string;
  /** Laid over an environment without the developer's own settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments that run the command. */
  readonly front?: readonly string[];
  /** Longest life, milliseconds: what hangs must not hang the run. */
  readonly limitMs?: number;
}

export interface Ran {
  /** 128 + n when signal n ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line of `-o ndjson`. */
export interface Line {
  readonly type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

const LIMIT_MS = 180_000;
const WAIT_MS = 90_000;

/** Path of the built program. @param dist where it was built to, if not where all tests find it. */
export function program(dist: string = process.env.DISPATCH_DIST ?? 'dist'): string {
  return join(dist, 'dispatch.js');
}

export class Running {
  /** @throws when it had to be killed because it hung. */
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;
  readonly #args: readonly string[];
  #stdout = '';
  #stderr = '';
  #over = false;
  #watchers = new Set<() => void>();

  constructor(args: readonly string[], options: RunOptions) {
    this.#args = args;
    const command = [process.execPath, program(options.env?.DISPATCH_DIST), ...args];
    const [file = '', ...rest] = [...(options.front ?? []), ...command];
    const child = spawn(file, rest, {
      cwd: options.cwd,
      env: {
        PATH: process.env.PATH,
        DISPATCH_DIST: process.env.DISPATCH_DIST,
        TERM: 'xterm-256color',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.limitMs ?? LIMIT_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(limit);
        this.#over = true;
        if (late) reject(new Error(`${this.#shown()}: it hung\n${this.output}`));
        else resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
        this.#look();
      });
    });
    // A test that failed before it waited for the end has said enough.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Whole lines of ndjson so far. */
  get lines(): Line[] {
    return this.#stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  }

  /** Notes so far: what a person should know and is no news of a task. */
  get notes(): { about: string; name: string; code: string | null; message: string }[] {
    return this.lines.filter(({ type }) => type === 'Note').map(({ data }) => data as never);
  }

  /** Waits for something in the output. @throws when it does not come, or the process ends before. */
  async until(what: string, holds: () => boolean, timeoutMs = WAIT_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      const left = deadline - performance.now();
      if (this.#over || left <= 0) throw new Error(`${this.#shown()}: no ${what}\n${this.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#watchers.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits for news such as `p/A running`. */
  async news(about: string, word: string, timeoutMs?: number): Promise<void> {
    await this.until(`news ${about} ${word}`, () => this.hasNews(about, word), timeoutMs);
  }

  hasNews(about: string, word: string): boolean {
    return this.lines.some(
      ({ type, data }) => type === 'News' && data?.about === about && data.word === word,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL, unless it has ended; settles when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }

  #shown(): string {
    return `dispatch ${this.#args.join(' ')}${this.#over ? ' ended' : ''}`;
  }

  #look(): void {
    const watchers = this.#watchers;
    this.#watchers = new Set();
    for (const watcher of watchers) watcher();
  }
}
