/**
 * Copies of a store. `VACUUM INTO` reads one snapshot, so the copy is consistent whatever a controller writes meanwhile.
 * SQLite's other way, its backup interface, begins anew whenever another process has committed, and so would not come to
 * an end beside a busy controller. What it writes is whole or an error, and on the disk before its name counts.
 */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { DispatchError } from '../../model/error.ts';
import { type Db, openDatabase } from './database.ts';
import { withStoreErrors } from './errors.ts';
import { replayDifferences } from './replay.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** How long a copy waits for a lock, milliseconds. */
const BUSY_MS = 5000;

/** What a store says of itself. */
export interface StoreFacts {
  /** Number of its schema. */
  readonly schema: number;
  /** Events in its log. */
  readonly events: number;
  /** Of the newest lease that it has given. */
  readonly epoch: number;
}

/**
 * Writes a copy of the store that the file holds now, also while another process is in the middle of a transaction: that
 * one is not part of it. `to` must not exist.
 * @throws DispatchError as `openDatabase`.
 */
export function copyStore(file: string, to: string): void {
  const db = openDatabase(file, { readonly: true, busyTimeoutMs: BUSY_MS });
  try {
    withStoreErrors(to, () => {
      db.prepare('VACUUM INTO ?').run(to);
      const copy = openSync(to, 'r+');
      try {
        fsyncSync(copy);
      } finally {
        closeSync(copy);
      }
    });
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  } finally {
    db.close();
  }
}

/**
 * Reads a copy from end to end, and replays its log when it has the schema of this program.
 * @throws DispatchError E_STORE_DAMAGED naming what is wrong.
 */
export function checkStore(file: string): StoreFacts {
  const db = openDatabase(file, { readonly: true, busyTimeoutMs: BUSY_MS });
  try {
    return withStoreErrors(file, () => {
      const [found = 'nothing'] = db.prepare<[], string>('PRAGMA integrity_check(1)').pluck().all();
      if (found !== 'ok') throw damaged(file, found);
      const facts = factsOf(db);
      if (facts.schema !== MIGRATIONS.length) return facts;
      const [first] = replayDifferences(db);
      if (first !== undefined) throw damaged(file, `${first.what}.${first.field} differs from its log`);
      return facts;
    });
  } finally {
    db.close();
  }
}

/** @throws DispatchError as `openDatabase`. */
export function readStoreFacts(file: string): StoreFacts {
  const db = openDatabase(file, { readonly: true, busyTimeoutMs: BUSY_MS });
  try {
    return withStoreErrors(file, () => factsOf(db));
  } finally {
    db.close();
  }
}

/**
 * Makes the next lease greater than `epoch`. Nodes follow the greatest they have heard of, and a store that was put back
 * does not know what it gave out since.
 */
export function raiseEpoch(file: string, epoch: number): void {
  const db = openDatabase(file, { readonly: false, busyTimeoutMs: BUSY_MS });
  try {
    withStoreErrors(file, () =>
      db.prepare<[number, number]>('UPDATE lease SET epoch = ?, held = 0 WHERE epoch < ?').run(epoch, epoch),
    );
  } finally {
    db.close();
  }
}

/** Moves what the log holds into the file itself. @throws DispatchError E_STORE_BUSY while another process reads. */
export function emptyLog(file: string): void {
  const db = openDatabase(file, { readonly: false, busyTimeoutMs: BUSY_MS });
  try {
    withStoreErrors(file, () => {
      const busy = db.pragma('wal_checkpoint(TRUNCATE)', { simple: true });
      if (busy === 0) return;
      throw new DispatchError('E_STORE_BUSY', 'another process reads the store', {
        where: file,
        fix: `find it with: fuser -v ${file}`,
      });
    });
  } finally {
    db.close();
  }
}

function factsOf(db: Db): StoreFacts {
  const one = (sql: string): number => db.prepare<[], number | null>(sql).pluck().get() ?? 0;
  return {
    schema: Number(db.pragma('user_version', { simple: true })),
    events: one('SELECT count(*) FROM events'),
    epoch: one('SELECT epoch FROM lease WHERE id = 1'),
  };
}

function damaged(file: string, why: string): DispatchError {
  return new DispatchError('E_STORE_DAMAGED', 'the store is damaged', { where: file, why });
}
