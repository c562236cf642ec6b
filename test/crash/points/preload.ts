/**
 * Loaded before a program under test: puts a point around each call of node:fs that changes something durable below the
 * base of the run, and around each commit of the store. The program knows nothing of it.
 *
 * Its own directory holds the plan and takes the logs.
 */
import fs, { type PathLike } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Counter } from './counter.ts';
import { kindOf } from './kind.ts';
import type { Mode } from './plan.ts';

type Any = (...args: never[]) => unknown;
type Home = Record<string, unknown>;

const kill = process.kill.bind(process);
const { readlinkSync, writeSync } = fs;
const counter = new Counter(dirname(fileURLToPath(import.meta.url)), ...roleOf(process.argv));

/** `controller`, `collect`, `supervisor`, `rpc`, …; and the node that it is on. */
function roleOf([, program = '', verb = '', ...rest]: readonly string[]): [role: string, node: string] {
  if (!basename(program).startsWith('task-wrapper'))
    return [verb === 'start' || verb === 'serve' ? 'controller' : verb, 'home'];
  const root = rest[rest.indexOf('--root') + 1] ?? '';
  return [verb === 'supervise' ? 'supervisor' : verb, basename(root)];
}

function failure(code: 'EIO' | 'ENOSPC', call: string, path: string): Error {
  const said = code === 'EIO' ? 'i/o error' : 'no space left on device';
  const errno = code === 'EIO' ? -5 : -28;
  return Object.assign(new Error(`${code}: ${said}, ${call} '${path}'`), {
    code,
    errno,
    syscall: call,
    path,
  });
}

/** Runs the call as the mode says. @param half does a part of it, where there are parts. */
function performed(
  mode: Mode | null,
  call: string,
  path: string,
  work: () => unknown,
  half: () => void,
): unknown {
  switch (mode) {
    case null:
      return work();
    case 'killed before':
      return kill(process.pid, 'SIGKILL');
    case 'EIO':
      throw failure('EIO', call, path);
    case 'ENOSPC':
      half();
      throw failure('ENOSPC', call, path);
    case 'killed after': {
      const result = work();
      if (result instanceof Promise) return result.finally(() => kill(process.pid, 'SIGKILL'));
      return kill(process.pid, 'SIGKILL');
    }
    case 'unsure': {
      const result = work();
      if (!(result instanceof Promise)) throw failure('EIO', call, path);
      return result.then(() => {
        throw failure('EIO', call, path);
      });
    }
  }
}

/** Directories that are being removed, each one point, and calls that are part of another one. */
const removing = new Set<string>();
let depth = 0;

function reach(call: string, path: string): Mode | null {
  const kind = kindOf(counter.base, path);
  if (kind === null || depth > 0) return null;
  for (const removed of removing) if (path === removed || path.startsWith(`${removed}/`)) return null;
  return counter.reach(`${kind} ${call}`);
}

/** Whatever the call does by others of these is a part of it. */
function nested(work: () => unknown): unknown {
  depth += 1;
  try {
    return work();
  } finally {
    depth -= 1;
  }
}

async function removal(path: string, work: () => unknown): Promise<unknown> {
  removing.add(path);
  try {
    return await work();
  } finally {
    removing.delete(path);
  }
}

function pathOf(target: unknown): string {
  if (typeof target === 'number') {
    try {
      return readlinkSync(`/proc/self/fd/${target}`);
    } catch {
      return '';
    }
  }
  return target instanceof URL ? fileURLToPath(target) : String(target as PathLike);
}

/** Where a call's target stands among its arguments: what it makes or changes. */
const TARGETS: Readonly<Record<string, number>> = {
  rename: 1,
  link: 1,
  symlink: 1,
  copyFile: 1,
  unlink: 0,
  rm: 0,
  mkdir: 0,
  writeFile: 0,
  appendFile: 0,
  truncate: 0,
  ftruncate: 0,
  fsync: 0,
  fdatasync: 0,
  write: 0,
};

function isNothing(call: string, args: readonly unknown[]): boolean {
  const options = args[1] as { recursive?: boolean } | undefined;
  return call === 'mkdir' && options?.recursive === true;
}

/** Half of what a call would write; calls that write nothing have no half. */
function halfOf(call: string, path: string, args: readonly unknown[]): () => void {
  const content = args[1];
  if (!(typeof content === 'string' || content instanceof Uint8Array)) return () => {};
  const bytes = Buffer.from(content);
  const part = bytes.subarray(0, bytes.length >> 1);
  if (call === 'write') return () => void writeSync(args[0] as number, part);
  if (call !== 'writeFile' && call !== 'appendFile') return () => {};
  return () => {
    const fd = originals.openSync(path, call === 'writeFile' ? 'w' : 'a', 0o600);
    writeSync(fd, part);
    originals.closeSync(fd);
  };
}

const originals = { openSync: fs.openSync, closeSync: fs.closeSync };

for (const [call, at] of Object.entries(TARGETS)) {
  wrapSync(call, at);
  wrapPromise(call, at);
  wrapCallback(call, at);
}
wrapHandles();
if (!basename(process.argv[1] ?? '').startsWith('task-wrapper')) wrapCommits();
syncBuiltinESMExports();

function wrapSync(call: string, at: number): void {
  const home = fs as unknown as Home;
  const original = home[`${call}Sync`] as Any | undefined;
  if (original === undefined) return;
  home[`${call}Sync`] = (...args: never[]): unknown => {
    const path = pathOf(args[at]);
    const mode = isNothing(call, args) ? null : reach(call, path);
    return performed(mode, call, path, () => nested(() => original(...args)), halfOf(call, path, args));
  };
}

function wrapPromise(call: string, at: number): void {
  const home = fs.promises as unknown as Home;
  const original = home[call] as Any | undefined;
  if (original === undefined) return;
  home[call] = async (...args: never[]): Promise<unknown> => {
    const path = pathOf(args[at]);
    const mode = isNothing(call, args) ? null : reach(call, path);
    const work = (): unknown => (call === 'rm' ? removal(path, () => original(...args)) : original(...args));
    return await performed(mode, call, path, work, halfOf(call, path, args));
  };
}

/** With a callback. What `promisify` reads from the function stays on it. */
function wrapCallback(call: string, at: number): void {
  const home = fs as unknown as Home;
  const original = home[call] as Any | undefined;
  if (original === undefined) return;
  const wrapped = (...args: unknown[]): unknown => {
    const done = args.pop() as (error: Error | null, ...results: unknown[]) => void;
    const path = pathOf(args[at]);
    const mode = isNothing(call, args) ? null : reach(call, path);
    const work = (): Promise<unknown[]> =>
      new Promise((resolve, reject) => {
        const answer = (error: Error | null, ...results: unknown[]): void =>
          error === null ? resolve(results) : reject(error);
        (original as (...all: unknown[]) => unknown)(...args, answer);
      });
    if (mode === null) return (original as (...all: unknown[]) => unknown)(...args, done);
    void Promise.resolve()
      .then(() => performed(mode, call, path, work, halfOf(call, path, args)))
      .then(
        (results) => done(null, ...(results as unknown[])),
        (error: unknown) => done(error as Error),
      );
  };
  for (const key of Object.getOwnPropertySymbols(original))
    Object.defineProperty(wrapped, key, Object.getOwnPropertyDescriptor(original, key) ?? {});
  home[call] = wrapped;
}

/** `open` of fs/promises answers with handles of one class, which is known from the first on. */
function wrapHandles(): void {
  const home = fs.promises as unknown as Home;
  const open = home.open as (...args: unknown[]) => Promise<{ fd: number }>;
  let known = false;
  home.open = async (...args: unknown[]): Promise<unknown> => {
    const handle = await open(...args);
    if (known) return handle;
    known = true;
    const methods = Object.getPrototypeOf(handle) as Home;
    for (const [method, call] of Object.entries({
      sync: 'fsync',
      datasync: 'fdatasync',
      write: 'write',
      writeFile: 'write',
      appendFile: 'write',
    })) {
      const original = methods[method] as (...rest: unknown[]) => Promise<unknown>;
      methods[method] = async function (this: { fd: number }, ...rest: unknown[]): Promise<unknown> {
        const path = pathOf(this.fd);
        const half = call === 'write' ? halfOf('write', path, [this.fd, rest[0]]) : () => {};
        return await performed(reach(call, path), call, path, () => original.apply(this, rest), half);
      };
    }
    return handle;
  };
}

/** Around COMMIT: before it the transaction's statements have run; after it it is durable. */
function wrapCommits(): void {
  const require = createRequire(process.argv[1] ?? import.meta.url);
  const Database = require('better-sqlite3') as {
    prototype: Home;
    SqliteError: new (message: string, code: string) => Error;
  };
  const transaction = Database.prototype.transaction as (this: { name: string }, work: Any) => Home & Any;
  const broken = (mode: Mode): Error =>
    mode === 'ENOSPC'
      ? new Database.SqliteError('database or disk is full', 'SQLITE_FULL')
      : new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC');
  Database.prototype.transaction = function (this: { name: string }, work: Any): unknown {
    const name = join(this.name);
    let mode: Mode | null = null;
    const inside = (...args: never[]): unknown => {
      const result = work(...args);
      mode = reach('commit', name);
      if (mode === 'killed before') kill(process.pid, 'SIGKILL');
      if (mode === 'EIO' || mode === 'ENOSPC') throw broken(mode);
      return result;
    };
    const made = transaction.call(this, inside);
    const around =
      (run: Any): Any =>
      (...args: never[]): unknown => {
        mode = null;
        const result = run(...args);
        if (mode === 'killed after') kill(process.pid, 'SIGKILL');
        if (mode === 'unsure') throw broken(mode);
        return result;
      };
    const kinds = ['default', 'deferred', 'immediate', 'exclusive'].map((kind) => [
      kind,
      around(made[kind] as Any),
    ]);
    return Object.assign(around(made as Any), Object.fromEntries(kinds));
  };
}
