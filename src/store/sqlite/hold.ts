/** Keeps every controller out while the file of a store is exchanged for another, whatever state the file is in. */
import { existsSync } from 'node:fs';
import { DispatchError } from '../../model/error.ts';
import { openDatabase } from './database.ts';
import { withStoreErrors } from './errors.ts';
import { lockPath, readLiveLock, removeLock, writeLock } from './lock-file.ts';

const BUSY_MS = 5000;

/**
 * Takes the lock of the store that is, or will be, at this path. @param epoch anything; names the lock.
 * @returns lets go of it. @throws DispatchError E_CONTROLLER_RUNNING.
 */
export function holdStore(file: string, epoch: number): () => void {
  const lock = lockPath(file);
  const take = (): void => {
    const live = readLiveLock(lock);
    if (live !== null) throw running(file, live.pid);
    writeLock(lock, epoch);
  };
  takingTurns(file, take);
  return () => removeLock(lock, epoch);
}

/** The process that holds the store at this path, while it lives; null: nobody. What is said may be old already. */
export function holderOf(file: string): number | null {
  return readLiveLock(lockPath(file))?.pid ?? null;
}

/** Two that find the same stale lock take turns in the database; one that cannot be opened has no controller either. */
function takingTurns(file: string, take: () => void): void {
  if (!existsSync(file)) return take();
  try {
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: BUSY_MS });
    try {
      withStoreErrors(file, () => db.transaction(take).immediate());
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_STORE_DAMAGED') throw error;
    take();
  }
}

function running(file: string, pid: number): DispatchError {
  return new DispatchError('E_CONTROLLER_RUNNING', `a controller runs this home: pid ${pid}`, {
    where: file,
    why: 'it would go on with what it knows, and write that over what is put back',
    fix: `kill ${pid}   (agents go on), or where a supervisor starts it again: dispatch tunnels uninstall`,
  });
}
