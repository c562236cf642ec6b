/**
 * The file beside the database that says which process holds the lease. It counts only while that very process lives,
 * so nothing has to be cleaned up after a SIGKILL. It is read and written only inside a write transaction of the
 * database, which is what makes two processes that find the same stale lock take turns.
 *
 * The host is not compared: a laptop changes its name with the network, and the home is on a local disk. A process in
 * another container that shares the disk is not seen; should two controllers run that way, the epoch in the lease row
 * lets only the newer one write.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processStart } from './process-start.ts';

export interface LockFile {
  /** The lease that it belongs to. */
  readonly epoch: number;
  readonly pid: number;
  /** Identity of the process, see processStart. */
  readonly started: string;
}

/** Path of the lock of this database. */
export function lockPath(database: string): string {
  return `${database}.lock`;
}

/** The lock as it stands if the process that took it lives, else null. */
export function readLiveLock(path: string): LockFile | null {
  const lock = readLock(path);
  if (lock === null) return null;
  const started = processStart(lock.pid);
  // A process that exists but does not show its start may be the holder. Unknown is not dead.
  return started !== null && (started === lock.started || started === 'unknown') ? lock : null;
}

/** Takes the lock for this process. */
export function writeLock(path: string, epoch: number): void {
  const lock: LockFile = { epoch, pid: process.pid, started: processStart(process.pid) ?? 'unknown' };
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(lock)}\n`);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Removes the lock if this process took it for this lease. */
export function removeLock(path: string, epoch: number): void {
  const lock = readLock(path);
  if (lock?.epoch === epoch && lock.pid === process.pid) rmSync(path, { force: true });
}

/** Null when there is none, or when it is not whole: it is renamed into place, so only a power cut leaves half a lock. */
function readLock(path: string): LockFile | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return asLock(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function asLock(value: unknown): LockFile | null {
  const { epoch, pid, started } = (value ?? {}) as Partial<Record<keyof LockFile, unknown>>;
  if (typeof epoch !== 'number' || typeof pid !== 'number' || typeof started !== 'string') return null;
  return Number.isInteger(pid) && pid > 0 ? { epoch, pid, started } : null;
}
