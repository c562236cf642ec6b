/** A disk of its own that is small enough to fill, where this user may mount one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** True where a tmpfs may be mounted; elsewhere tests that fill a disk are skipped. */
export function mayMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'dcl-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status === 0;
  if (mounted) execFileSync('umount', [dir]);
  rmSync(dir, { recursive: true });
  return mounted;
}

/** A tmpfs at this path, in a test until it is over. */
export class SmallDisk {
  readonly path: string;

  /** @param atEnd takes what gives the disk back. */
  constructor(path: string, size: string, atEnd: (unmount: () => void) => void = onTestFinished) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
    atEnd(() => this.unmount());
  }

  /** Whatever still runs there is about to be ended; the mount goes when the last of it has. */
  unmount(): void {
    execFileSync('umount', ['-l', this.path]);
  }

  /** Leaves room for no more than about `spare` bytes. */
  fill(spare = 0): void {
    const fd = openSync(join(this.path, 'filler'), 'w');
    try {
      for (const size of [1 << 16, 4096, 512]) while (writes(fd, size));
    } finally {
      closeSync(fd);
    }
    if (spare > 0) execFileSync('truncate', ['-s', `-${spare}`, join(this.path, 'filler')]);
  }

  free(): void {
    rmSync(join(this.path, 'filler'), { force: true });
  }

  resize(size: string): void {
    execFileSync('mount', ['-o', `remount,size=${size}`, this.path]);
  }
}

function writes(fd: number, size: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(size, 1)) === size;
  } catch {
    return false;
  }
}
