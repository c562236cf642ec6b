import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { added, config, SET_UP, Story } from '../model/builder.ts';
import { openStore, scratch } from './scratch.ts';

describe.skipIf(!mayMount())('a store on a disk that is full', () => {
  it('refuses the commit as a whole, keeps what was there, and goes on when there is room', async () => {
    const disk = smallDisk('1m');
    const file = join(disk, 'state.db');
    const store = await openStore(file);
    const lease = await store.acquire('laptop', 7, 1000);
    const story = new Story();
    await store.commit(lease, story.tell(...SET_UP, added('A')), story.state);
    const before = await store.load();
    fill(disk);

    const events = story.tell(added('B', { title: 'x'.repeat(200_000) }), added('C'));
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(store.commit(lease, events, story.state)).rejects.toMatchObject({
        code: 'E_NO_SPACE',
        where: file,
        fix: `free space on the disk of ${disk}`,
      });
    }
    expect(await store.load()).toEqual(before);
    expect(await store.replayCheck()).toEqual([]);
    const reader = await openReader(file);
    expect(await reader.load()).toEqual(before);
    await reader.close();

    rmSync(join(disk, 'filler'));
    expect(await store.commit(lease, events, story.state)).toBe(6);
    expect(await store.load()).toEqual(story.state);
    expect(await store.replayCheck()).toEqual([]);
  });

  it('cannot be made, and says why', async () => {
    const disk = smallDisk('256k');
    fill(disk);
    await expect(openStore(join(disk, 'state.db'))).rejects.toMatchObject({ code: 'E_NO_SPACE' });
  });

  it('cannot be acquired, and is not left locked by the attempt', async () => {
    const disk = smallDisk('1m');
    const file = join(disk, 'state.db');
    const store = await openStore(file);
    fill(disk);
    await expect(store.acquire('laptop', 7, 1000)).rejects.toMatchObject({ code: 'E_NO_SPACE' });
    expect(readdirSync(disk).filter((name) => name.includes('.lock'))).toEqual([]);
    rmSync(join(disk, 'filler'));
    expect(await store.acquire('laptop', 7, 1000)).toMatchObject({ epoch: 1 });
  });

  it('gives its lease back all the same', async () => {
    const disk = smallDisk('1m');
    const file = join(disk, 'state.db');
    const store = await openStore(file);
    const lease = await store.acquire('laptop', 7, 1000);
    const story = Story.of({ type: 'project.configured', config: config() });
    fill(disk);
    await store.release(lease).catch(() => undefined);
    await store.close().catch(() => undefined);
    rmSync(join(disk, 'filler'));
    const next = await openStore(file);
    expect(await next.holder()).toBeNull();
    const again = await next.acquire('laptop', 8, 2000);
    expect(await next.commit(again, [], story.state)).toBe(0);
  });
});

/** A file system of its own, so that filling it harms nobody. */
function smallDisk(size: string): string {
  const disk = scratch();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  return disk;
}

function fill(disk: string): void {
  for (let size = 1 << 20; size >= 512; size >>= 1) {
    for (;;) {
      try {
        writeFileSync(join(disk, 'filler'), Buffer.alloc(size), { flag: 'a' });
      } catch {
        break;
      }
    }
  }
}

/** Mounting needs root, and more than that in some containers. */
function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/tmp'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
