/**
 * One supervisor per root. Node has no flock, so the lock is a file per holder, `lock/<k>`, that names a process by pid
 * and start time; whoever has the highest k and is alive holds it. Why this is safe:
 *
 * - a process that is dead stays dead, so finding the holder dead can never become wrong later;
 * - `k + 1` is taken with link(2), which exactly one of several takers wins, and the file is complete from its first moment;
 * - numbers are never used again while a higher one exists: a taker that slept looks once more after it has linked, and
 *   gives way when it is not the highest.
 *
 * The kernel's process table is the judge: no time-out, no lease, nothing to clean after `kill -9`.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { readBootId, startTime } from './host.ts';
import type { Root } from './root.ts';

export interface Holder {
  readonly pid: number;
  readonly start: string;
  readonly boot: string;
}

export interface Lock {
  release(): void;
}

/** The lock, or whoever holds it. */
export function takeLock(root: Root): Lock | Holder {
  const dir = `${root.run}/lock`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (;;) {
    const highest = highestNumber(dir);
    const holder = highest === 0 ? null : liveHolder(dir, highest);
    if (holder !== null) return holder;
    const mine = highest + 1;
    if (!claim(dir, mine)) continue;
    if (highestNumber(dir) > mine) {
      unlinkSync(`${dir}/${mine}`);
      continue;
    }
    for (const name of readdirSync(dir))
      if (Number.parseInt(name, 10) < mine) unlinkQuietly(`${dir}/${name}`);
    return { release: () => writeFileSync(`${dir}/${mine}.free`, '') };
  }
}

export function isLock(taken: Lock | Holder): taken is Lock {
  return 'release' in taken;
}

function highestNumber(dir: string): number {
  return Math.max(
    0,
    ...readdirSync(dir)
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );
}

function liveHolder(dir: string, number: number): Holder | null {
  if (readQuietly(`${dir}/${number}.free`) !== null) return null;
  const text = readQuietly(`${dir}/${number}`);
  const [pid, start, boot] = (text ?? '').split('\n');
  if (pid === undefined || start === undefined || boot === undefined) return null;
  const alive = boot === readBootId() && startTime(Number(pid)) === start;
  return alive ? { pid: Number(pid), start, boot } : null;
}

function claim(dir: string, number: number): boolean {
  const temporary = `${dir}/new-${process.pid}`;
  writeFileSync(temporary, `${process.pid}\n${startTime(process.pid)}\n${readBootId()}`);
  try {
    linkSync(temporary, `${dir}/${number}`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function readQuietly(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another taker cleans as well; what counts is that it is gone.
  }
}
