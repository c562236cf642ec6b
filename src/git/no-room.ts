/**
 * A git that found no room on the disk. It says so in many ways, and in some not at all ("couldn't write …lock"); that is
 * never a fault of what was to be written, so whoever draws conclusions from a git that failed has to ask here first.
 */
import { statfsSync } from 'node:fs';
import { DispatchError } from '../model/error.ts';
import { GitError } from './run.ts';

const SAID = /no space left|out of disk ?space|disk quota exceeded|file too large/iu;
/** Said of other troubles as well: it counts where the disk has next to nothing left. */
const PERHAPS = /write|create|fsync|mkdir|rename|close|store|lock/iu;
const FULL_BELOW_BYTES = 256 * 1024;

/** @param dir where it wrote. */
export function foundNoRoom(error: GitError, dir: string): boolean {
  return SAID.test(error.stderr) || (PERHAPS.test(error.stderr) && isFull(dir));
}

/** What failed for want of room in `dir`, by its name; anything else as it is. */
export function roomError(error: unknown, dir: string): unknown {
  const cause = error instanceof DispatchError && error.code === 'E_REPO_FAILED' ? error.cause : error;
  if (!lacksRoom(cause, dir)) return error;
  return new DispatchError('E_NO_SPACE', `no space left for the repository of dispatch at ${dir}`, {
    where: dir,
    why: cause.message,
    fix: `free space on the disk of ${dir}; what waits goes on by itself`,
    cause: error,
  });
}

function lacksRoom(error: unknown, dir: string): error is Error {
  if (error instanceof GitError) return foundNoRoom(error, dir);
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function isFull(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    // It is not there: then space is not what is missing.
    return false;
  }
}
