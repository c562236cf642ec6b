/**
 * Who is the one controller. The epoch in the lease row is what is safe: it grows with every controller, each commit
 * checks it, and an older controller can write nothing. The lock file is what is polite: it keeps a second controller
 * from taking over from a live one.
 */
import { DispatchError } from '../../model/error.ts';
import type { Lease } from '../port.ts';
import { type Db, IN_MEMORY } from './database.ts';
import { lockPath, readLiveLock, removeLock, writeLock } from './lock-file.ts';

export interface Leases {
  acquire(host: string, pid: number, now: number): Lease;
  release(lease: Lease): void;
  /** @throws DispatchError E_FENCED unless this lease is the newest and has not been given back. */
  check(lease: Lease): void;
}

interface LeaseRow {
  readonly epoch: number;
  readonly held: number;
  readonly host: string;
  readonly pid: number;
  readonly since: number;
}

const SELECT = 'SELECT epoch, held, host, pid, since FROM lease WHERE id = 1';

/** Prepares the statements of the lease on a connection that may write. */
export function leases(db: Db): Leases {
  const select = db.prepare<[], LeaseRow>(SELECT);
  const held = db.prepare<[number], number>('SELECT held FROM lease WHERE id = 1 AND epoch = ?').pluck();
  const take = db.prepare<[number, string, number, number]>(
    'UPDATE lease SET epoch = ?, held = 1, host = ?, pid = ?, since = ? WHERE id = 1',
  );
  const giveBack = db.prepare<[number]>('UPDATE lease SET held = 0 WHERE id = 1 AND epoch = ?');
  const lock = db.name === IN_MEMORY ? null : lockPath(db.name);

  /** Epoch for which the lock file was written by the call that is under way. */
  let locking: number | null = null;
  const acquire = db.transaction((host: string, pid: number, now: number): Lease => {
    const row = rowOf(select.get());
    if (lock !== null && readLiveLock(lock) !== null) throw controllerRunning(row, db.name);
    const lease: Lease = { epoch: row.epoch + 1, host, pid, since: now };
    if (lock !== null) {
      locking = lease.epoch;
      writeLock(lock, lease.epoch);
    }
    take.run(lease.epoch, host, pid, now);
    return lease;
  });
  const release = db.transaction((lease: Lease) => {
    // First the file: it can be removed even when the disk is too full for the row.
    if (lock !== null) removeLock(lock, lease.epoch);
    giveBack.run(lease.epoch);
  });

  return {
    acquire(host, pid, now) {
      locking = null;
      try {
        return acquire.immediate(host, pid, now);
      } catch (error) {
        // The file was written and the row was not: left there, it would keep every controller out until this process ends.
        if (lock !== null && locking !== null) removeLock(lock, locking);
        throw error;
      }
    },
    release: (lease) => release.immediate(lease),
    check(lease) {
      if (held.get(lease.epoch) !== 1) throw fenced(lease, rowOf(select.get()), db.name);
    },
  };
}

/** The lease that is held now by a live controller, or null. A private store in memory takes its holder's word. */
export function holderOf(db: Db): Lease | null {
  const row = rowOf(db.prepare<[], LeaseRow>(SELECT).get());
  if (row.held !== 1) return null;
  if (db.name !== IN_MEMORY && readLiveLock(lockPath(db.name))?.epoch !== row.epoch) return null;
  const { epoch, host, pid, since } = row;
  return { epoch, host, pid, since };
}

/** @throws DispatchError E_CONTROLLER_RUNNING when a live controller, of whatever version, holds the store. */
export function refuseWhileHeld(db: Db): void {
  if (db.name === IN_MEMORY || readLiveLock(lockPath(db.name)) === null) return;
  throw controllerRunning(rowOf(db.prepare<[], LeaseRow>(SELECT).get()), db.name);
}

function controllerRunning(row: LeaseRow, file: string): DispatchError {
  const since = new Date(row.since).toISOString();
  return new DispatchError(
    'E_CONTROLLER_RUNNING',
    `a controller runs this home already: pid ${row.pid} on ${row.host}, since ${since}`,
    {
      where: file,
      why: 'two controllers would start the same work twice',
      fix: `\`dispatch status\` shows its work; to replace it: kill ${row.pid}, then start again (agents go on meanwhile)`,
    },
  );
}

function fenced(lease: Lease, row: LeaseRow, file: string): DispatchError {
  const taken = row.epoch > lease.epoch;
  return new DispatchError(
    'E_FENCED',
    taken
      ? `a newer controller has taken over: pid ${row.pid} on ${row.host}, since ${new Date(row.since).toISOString()}`
      : 'this controller does not hold the home any more',
    { where: file, why: `its epoch is ${row.epoch}, this one's is ${lease.epoch}; nothing was written` },
  );
}

/** The row is made by the first migration and there is no statement that removes it. */
function rowOf(row: LeaseRow | undefined): LeaseRow {
  if (row === undefined) throw new DispatchError('E_STORE_DAMAGED', 'the row of the lease is missing');
  return row;
}
