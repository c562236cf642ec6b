/** Directories and child processes that a test leaves nothing of. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { Store } from '../../src/store/port.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';

const LIMIT_MS = 90_000;

/** A new directory, removed after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dispatch-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Path of a store that does not exist yet. */
export function storeFile(): string {
  return join(scratch(), 'state.db');
}

/** An open store, closed after the test. */
export async function openStore(file: string): Promise<Store> {
  const store = await openSqliteStore(file);
  onTestFinished(() => store.close());
  return store;
}

/** A connection that bypasses the store, to damage it. */
export function raw(file: string): Database.Database {
  const db = new Database(file);
  onTestFinished(() => void db.close());
  return db;
}

export interface Child {
  readonly process: ChildProcess;
  /** The next line the child prints; rejects when it ends instead, or prints nothing for long. */
  line(): Promise<string>;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts test/store/child.ts with these arguments. */
export function child(...args: string[]): Child {
  return start(process.execPath, childArgs(args));
}

/** Starts another program, which is built already, with these arguments. */
export function runningChild(program: string, ...args: string[]): Child {
  return start(process.execPath, [program, ...args]);
}

/** The same, in a process that may write no file larger than this many blocks of 512 bytes. */
export function childWithSmallFiles(blocks: number, ...args: string[]): Child {
  const limit = `ulimit -f ${blocks}; exec "$0" "$@"`;
  return start('sh', ['-c', limit, process.execPath, ...childArgs(args)]);
}

function childArgs(args: readonly string[]): string[] {
  return ['--import', 'tsx', fileURLToPath(new URL('./child.ts', import.meta.url)), ...args];
}

function start(program: string, args: readonly string[]): Child {
  const started = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void started.kill('SIGKILL'));
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    started.once('exit', (code, signal) => resolve(code ?? signal));
  });
  return { process: started, ended, line: () => within(nextLine(lines)) };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const { done, value } = await lines.next();
  if (done === true) throw new Error('the child ended without a line');
  return value;
}

async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the child said nothing')), LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
