/** Runs the built command line as a real process in a home of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { Story } from '../model/builder.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with stdout so far; what it returns is sent to the process. */
  readonly onOutput?: (stdout: string) => NodeJS.Signals | null;
  /** The same for stderr. */
  readonly onError?: (stderr: string) => NodeJS.Signals | null;
}

/** A verb that hangs must not hang the run. */
const LIMIT_MS = 180_000;

/** Path of the built program. */
export function program(): string {
  return join(process.env.DISPATCH_DIST ?? 'dist', 'dispatch.js');
}

/** Runs `dispatch …` with pipes for stdin, stdout and stderr, and an environment without the developer's own settings. */
export function dispatch(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [program(), ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      DISPATCH_DIST: process.env.DISPATCH_DIST,
      TERM: 'xterm-256color',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let stdout = '';
  let stderr = '';
  let signalled = false;
  const send = (signal: NodeJS.Signals | null): void => {
    // A second signal would end what the first one asked to stop.
    if (signal !== null && !signalled) signalled = child.kill(signal);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    send(options.onOutput?.(stdout) ?? null);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    send(options.onError?.(stderr) ?? null);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A new directory, removed after the test. */
export function scratch(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-cli-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return directory;
}

/** A home with these files; nodes.json and specs/ are there unless named otherwise. */
export function makeHome(files: Readonly<Record<string, string>> = {}): string {
  const home = scratch();
  mkdirSync(join(home, 'specs'));
  const all = { 'nodes.json': '[{ "name": "mac2", "local": true, "slots": 4 }]\n', ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), text);
  }
  return home;
}

/** Records facts in the home's store, as a controller would. */
export async function record(home: string, ...facts: readonly Fact[]): Promise<void> {
  const store = await openSqliteStore(join(home, '.dispatch', 'state.db'));
  try {
    const lease = await store.acquire('laptop', process.pid, Date.now());
    const story = new Story(await store.load());
    const events = story.tell(...facts);
    await store.commit(
      lease,
      events.map((event) => ({ ...event, epoch: lease.epoch })),
      story.state,
    );
    await store.release(lease);
  } finally {
    await store.close();
  }
}

/** A valid spec file. */
export function specText(id: string, changes: Readonly<Record<string, string>> = {}): string {
  const keys = {
    task_id: id,
    modifies: `["src/${id}.ts"]`,
    executor: 'note',
    verify: 'test -f a',
    ...changes,
  };
  const front = Object.entries(keys).map(([key, value]) => `${key}: ${value}`);
  return `---\n${front.join('\n')}\n---\n## Goal\nThe goal of ${id}.\n\n## Acceptance\n- It works.\n`;
}

export const PROJECT_YAML = 'repo: ../app\nexecutors:\n  note: { command: ["true"] }\n';

/** True when the text has anything that a terminal would obey. */
export function hasEscapes(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- exactly these are looked for
  return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u.test(text);
}
