/**
 * Gets over a git that was killed while it held a lock file: the file stays and keeps everybody else out. Of the hub, of a
 * node's mirror and of an attempt's index; their other files are moved into place, and a half of one is never seen.
 *
 * This file is bundled into the node-side program too, so it stands on node's own modules and on run.ts.
 */
import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GitError } from './run.ts';

const run = promisify(execFile);

/** A lock file this old belongs to nobody: every call of git has an end. Milliseconds. */
const STALE_LOCK_MS = 90 * 60_000;
/** Locks that one piece of work may find in its way: a git that was killed held a ref, its log and the packed refs. */
const MOST_LOCKS = 3;
/** How often a lock with a living owner is looked at, and how long after each other. */
const MOST_LOOKS = 120;
const LOOK_MS = 500;

/**
 * Runs the work, and once more when it met a lock file that a dead git left behind: one from before this machine
 * started, older than any call of git may take, or in a repository that no process works with. A lock that may have a
 * living owner stays, and so does the error.
 */
export async function retryingStaleLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  return await retrying(dir, work, 0);
}

/**
 * The same where a living owner can only be what one that was killed has left: its git goes on to its end, and is waited
 * for.
 */
export async function outlivingLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  return await retrying(dir, work, MOST_LOOKS);
}

async function retrying<T>(dir: string, work: () => Promise<T>, mostLooks: number): Promise<T> {
  let looks = 0;
  for (let tries = 1; ; ) {
    try {
      return await work();
    } catch (error) {
      const lock = lockInTheWay(error);
      if (lock === null || !lock.startsWith(dir)) throw error;
      if (await isStale(dir, lock)) {
        if (tries > MOST_LOCKS) throw error;
        tries += 1;
        await rm(lock, { force: true });
      } else {
        if (looks >= mostLooks) throw error;
        looks += 1;
        await setTimeout(LOOK_MS);
      }
    }
  }
}

function lockInTheWay(error: unknown): string | null {
  if (!(error instanceof GitError)) return null;
  const [, lock] = /Unable to create '([^']+\.lock)': File exists/.exec(error.stderr) ?? [];
  const [, locked] = /could not lock config file (.+): File exists/.exec(error.stderr) ?? [];
  return lock ?? (locked === undefined ? null : `${locked}.lock`);
}

async function isStale(dir: string, lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => null);
  if (found === null) return true;
  const now = Date.now();
  if (found.mtimeMs < now - uptime() * 1000 || found.mtimeMs < now - STALE_LOCK_MS) return true;
  if (await isInUse(dir)) return false;
  // Its owner may have ended before the processes were looked at, and another have begun since.
  const again = await stat(lock).catch(() => null);
  return again === null || (again.ino === found.ino && again.mtimeMs === found.mtimeMs);
}

/** Every call of git names its repository, and so do the processes that this one has under way. True when that is not known. */
async function isInUse(dir: string): Promise<boolean> {
  try {
    const { stdout } = await run('ps', ['-A', '-ww', '-o', 'args='], { maxBuffer: 1 << 26, timeout: 10_000 });
    return stdout.split('\n').some((args) => args.includes(`--git-dir=${dir}`));
  } catch {
    return true;
  }
}
