/**
 * Opens the SQLite file as every process must: WAL, so that readers never wait for the writer; synchronous=FULL, so
 * that a commit that was acknowledged survives a power cut. better-sqlite3 is compiled to fall to NORMAL in WAL mode
 * unless FULL is set explicitly on the connection, hence set on each open, and read back.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { DispatchError } from '../../model/error.ts';
import { withStoreErrors } from './errors.ts';
import { refuseNetworkFileSystem } from './file-system.ts';

export type Db = Database.Database;

export const IN_MEMORY = ':memory:';

/** `dspc`: tells a store from another program's database. */
export const APPLICATION_ID = 0x64737063;

/** First SQLite release without the WAL-reset corruption (https://sqlite.org/wal.html#walresetbug). */
const SAFE_SQLITE = [3, 51, 3] as const;

/** Of pages kept in memory. The tables of 10,000 tasks are a few times this, but a turn touches little of them. */
const CACHE_KIB = 4096;
/** The WAL file is cut to this after a checkpoint, in case a long reader made it grow. */
const WAL_KEPT_BYTES = 16 * 1024 * 1024;
const SYNCHRONOUS_FULL = 2;

export interface OpenMode {
  /** For processes that only look; the file must exist. */
  readonly readonly: boolean;
  /** How long a statement waits for another process's lock, milliseconds. */
  readonly busyTimeoutMs: number;
}

/**
 * Opens a database file, or a private database in memory for `:memory:`.
 * @throws DispatchError E_SQLITE_VERSION, E_NETWORK_FS, E_NO_STORE, E_STORE_ACCESS, E_STORE_DAMAGED, E_NO_SPACE, E_STORE_IO.
 */
export function openDatabase(file: string, mode: OpenMode): Db {
  return withStoreErrors(file, () => {
    if (file !== IN_MEMORY) prepareDirectory(file, mode);
    const db = new Database(file, { readonly: mode.readonly, timeout: mode.busyTimeoutMs });
    try {
      refuseOldSqlite(db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '');
      configure(db, file, mode);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** @throws DispatchError E_SQLITE_VERSION for a library with the WAL-reset bug. */
export function refuseOldSqlite(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [index, least] of SAFE_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new DispatchError('E_SQLITE_VERSION', `SQLite ${version} can corrupt a database in WAL mode`, {
        why: `the bug is mended in ${SAFE_SQLITE.join('.')}`,
        fix: 'npm ci',
      });
    }
  }
}

function prepareDirectory(file: string, mode: OpenMode): void {
  if (mode.readonly) {
    if (!existsSync(file)) throw noStore(file);
  } else {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  }
  refuseNetworkFileSystem(dirname(file));
}

/** The error for a home in which no controller has run yet. */
export function noStore(file: string): DispatchError {
  return new DispatchError('E_NO_STORE', 'nothing has been started in this home yet', {
    where: file,
    fix: 'dispatch start <project>',
  });
}

function configure(db: Db, file: string, mode: OpenMode): void {
  // Reading the schema first makes a file that is no database, or another program's, fail before it is written to.
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (tables !== 0 && db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new DispatchError('E_STORE_DAMAGED', 'the file is a database of another program', { where: file });
  }
  if (!mode.readonly && file !== IN_MEMORY) expectPragma(db, 'journal_mode', 'WAL', 'wal');
  expectPragma(db, 'synchronous', 'FULL', SYNCHRONOUS_FULL);
  expectPragma(db, 'foreign_keys', 'ON', 1);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma(`journal_size_limit = ${WAL_KEPT_BYTES}`);
  db.pragma('temp_store = MEMORY');
}

/** SQLite ignores a pragma that it cannot follow, so each one that durability rests on is read back. */
function expectPragma(db: Db, name: string, value: string, expected: unknown): void {
  db.pragma(`${name} = ${value}`);
  const got: unknown = db.pragma(name, { simple: true });
  if (got !== expected) {
    throw new DispatchError('E_STORE_IO', `SQLite did not accept ${name} = ${value}`, {
      why: `it stays ${String(got)}`,
    });
  }
}
