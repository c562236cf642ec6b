/** Puts a new store in the place of the one that a home has. */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import { emptyLog, readStoreFacts } from '../store/sqlite/copy.ts';
import { STORE } from './manifest.ts';

/** Leases given out since the backup by a store that nobody can read any more: there have been fewer than this. */
export const LEASES_SINCE = 1_000_000;

/** The newest epoch of the store that is there; 0 when nobody can read it. */
export function epochOf(database: string): number {
  try {
    return existsSync(database) ? readStoreFacts(database).epoch : 0;
  } catch {
    // That is why another one takes its place.
    return 0;
  }
}

/**
 * The new file takes the name of the old one in one step, so that a home is never without a store; the old one has another
 * name before. Its log is emptied first: one that lay beside the new file would be taken for its own.
 */
export function exchange(database: string, fresh: string, now: Date): string | null {
  if (!existsSync(database)) {
    renameSync(fresh, database);
    return null;
  }
  const aside = asideFor(dirname(database), now);
  if (!isLogEmptied(database)) {
    for (const part of ['-wal', '-shm'])
      if (existsSync(`${database}${part}`)) renameSync(`${database}${part}`, join(aside, `${STORE}${part}`));
  }
  linkSync(database, join(aside, STORE));
  renameSync(fresh, database);
  for (const part of ['-wal', '-shm']) rmSync(`${database}${part}`, { force: true });
  return aside;
}

/** A new directory: one of an earlier try in the same second keeps what it has. */
function asideFor(dir: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/gu, '');
  for (let count = 1; ; count += 1) {
    const aside = join(dir, `before-restore-${stamp}${count === 1 ? '' : `-${count}`}`);
    if (existsSync(aside)) continue;
    mkdirSync(aside, { mode: 0o700 });
    return aside;
  }
}

/** False for a file that is no store any more: then its log goes aside with it. @throws E_STORE_BUSY while somebody reads. */
function isLogEmptied(database: string): boolean {
  try {
    emptyLog(database);
    return true;
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'E_STORE_DAMAGED') return false;
    throw error;
  }
}
