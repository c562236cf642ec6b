/** Turns what SQLite and the file system throw into errors that a person can act on. Anything else passes as it is. */
import { statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { DispatchError } from '../../model/error.ts';

/** Below this a failed write means that the disk is full, whatever the error was called: SQLite needs room for a page or two. */
const FULL_BELOW_BYTES = 64 * 1024;

/** Runs the work; what it throws leaves as a DispatchError naming the file when its cause is one that a user can mend. */
export function withStoreErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error, file);
  }
}

/** The error to show for this one; the same object when it is not SQLite's or the file system's. */
function asStoreError(error: unknown, file: string): unknown {
  if (error instanceof DispatchError) return error;
  if (isNotBuilt(error)) return notBuilt(error);
  const code = codeOf(error);
  if (code === null) return error;
  const detail = { where: file, why: (error as Error).message, cause: error };
  if (isFull(code, file)) {
    return new DispatchError('E_NO_SPACE', 'no space left for the store', {
      ...detail,
      fix: `free space on the disk of ${dirname(file)}`,
    });
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new DispatchError('E_STORE_DAMAGED', 'the store is damaged, or is not a database', {
      ...detail,
      fix: 'put a backup back: dispatch restore <backup>; or without one: dispatch restore --from-hubs',
    });
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new DispatchError('E_STORE_BUSY', 'another process keeps the store locked', {
      ...detail,
      fix: `find it with: fuser -v ${file}`,
    });
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM|EROFS)/.test(code)) {
    return new DispatchError('E_STORE_ACCESS', 'the store cannot be opened or written', {
      ...detail,
      fix: `make ${dirname(file)} and what is in it writable for this user`,
    });
  }
  if (/^(SQLITE_IOERR|EIO)/.test(code)) {
    return new DispatchError('E_STORE_IO', 'the store could not be read or written', detail);
  }
  return error;
}

/** The library was installed without being compiled, or for another Node.js. */
function isNotBuilt(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return /Could not locate the bindings file|NODE_MODULE_VERSION|invalid ELF header|ERR_DLOPEN_FAILED/.test(
    `${error.message} ${'code' in error ? String(error.code) : ''}`,
  );
}

function notBuilt(error: Error): DispatchError {
  const version = process.versions.node;
  const [first = ''] = error.message.split('\n');
  return new DispatchError('E_SQLITE_MISSING', `the SQLite library is not built for Node.js ${version}`, {
    why: first.replace(/ Tried:$/, ''),
    fix: `cd ${installedIn()} && npm rebuild better-sqlite3`,
    cause: error,
  });
}

/** Directory whose node_modules holds the library. */
function installedIn(): string {
  const file = createRequire(import.meta.url).resolve('better-sqlite3/package.json');
  return dirname(dirname(dirname(file)));
}

function codeOf(error: unknown): string | null {
  if (error instanceof Database.SqliteError) return error.code;
  if (error instanceof Error && 'syscall' in error && 'code' in error) return String(error.code);
  return null;
}

/** Only a failing write(2) is reported by SQLite as full; an mmap or an open that finds no room has other names. */
function isFull(code: string, file: string): boolean {
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (!/^SQLITE_(IOERR|CANTOPEN)/.test(code)) return false;
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    // The directory is gone or unreadable: then space is not what is missing.
    return false;
  }
}
