import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openDatabase, refuseOldSqlite } from '../../src/store/sqlite/database.ts';
import { fuseName, networkMountOnMac, networkType } from '../../src/store/sqlite/file-system.ts';
import { refuseWhileHeld } from '../../src/store/sqlite/lease.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { added, SET_UP, Story } from '../model/builder.ts';
import { child, openStore, raw, scratch, storeFile } from './scratch.ts';

describe('opening a store', () => {
  it('makes the directory, for the user alone', async () => {
    const file = join(scratch(), '.dispatch', 'state.db');
    await openStore(file);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
  });

  it('works for several processes that make it at the same moment', async () => {
    const file = storeFile();
    const children = Array.from({ length: 4 }, () => child('hold', file));
    await Promise.all(children.map(({ line }) => line()));
    for (const { process } of children) process.stdin?.write('go\n');
    const said = await Promise.all(children.map(({ line }) => line()));
    expect(said.map((line) => line.split(' ')[0]).toSorted()).toEqual([
      'E_CONTROLLER_RUNNING',
      'E_CONTROLLER_RUNNING',
      'E_CONTROLLER_RUNNING',
      'holds',
    ]);
  });

  it('refuses a newer schema and names both versions', async () => {
    const file = storeFile();
    await (await openStore(file)).close();
    raw(file).pragma(`user_version = ${MIGRATIONS.length + 1}`);
    const refusal = {
      code: 'E_STORE_VERSION',
      message: `the store has schema ${MIGRATIONS.length + 1}, this program only knows ${MIGRATIONS.length}`,
    };
    await expect(openSqliteStore(file)).rejects.toMatchObject(refusal);
    await expect(openReader(file)).rejects.toMatchObject(refusal);
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    const file = storeFile();
    writeFileSync(file, 'nodes: []\n'.repeat(100));
    await expect(openSqliteStore(file)).rejects.toMatchObject({ code: 'E_STORE_DAMAGED', where: file });
    expect(statSync(file).size).toBe(1000);
  });

  it("refuses another program's database, and leaves it as it is", async () => {
    const file = storeFile();
    const db = raw(file);
    db.exec('CREATE TABLE bookmarks (url TEXT)');
    await expect(openSqliteStore(file)).rejects.toMatchObject({
      code: 'E_STORE_DAMAGED',
      message: 'the file is a database of another program',
    });
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete');
  });

  it('says that a directory in the place of the file cannot be opened', async () => {
    const file = storeFile();
    mkdirSync(file);
    await expect(openSqliteStore(file)).rejects.toMatchObject({ code: 'E_STORE_ACCESS' });
  });

  it('gives up on a lock that another program keeps', async () => {
    const file = storeFile();
    const store = await openSqliteStore(file, { busyTimeoutMs: 50 });
    raw(file).exec('BEGIN IMMEDIATE');
    await expect(store.acquire('laptop', 7, 1000)).rejects.toMatchObject({
      code: 'E_STORE_BUSY',
      fix: `find it with: fuser -v ${file}`,
    });
    await store.close();
  });

  it('refuses SQLite releases with the WAL-reset bug', () => {
    for (const version of ['3.7.0', '3.45.1', '3.51.2', '3.51', '2.99.9']) {
      expect(() => refuseOldSqlite(version), version).toThrow(/can corrupt/);
    }
    for (const version of ['3.51.3', '3.52.0', '3.53.2', '4.0.0']) refuseOldSqlite(version);
  });
});

describe('opening a reader', () => {
  it('says that nothing was started yet when there is no store, and makes none', async () => {
    const file = storeFile();
    await expect(openReader(file)).rejects.toMatchObject({ code: 'E_NO_STORE', where: file });
    writeFileSync(file, '');
    await expect(openReader(file)).rejects.toMatchObject({ code: 'E_NO_STORE' });
    expect(statSync(file).size).toBe(0);
  });

  it('sees each commit of a controller that goes on writing, and one state per call', async () => {
    const file = storeFile();
    const store = await openStore(file);
    const lease = await store.acquire('laptop', 7, 1000);
    const story = new Story();
    await store.commit(lease, story.tell(...SET_UP), story.state);
    const reader = await openReader(file);
    for (const id of ['A', 'B', 'C']) {
      await store.commit(lease, story.tell(added(id)), story.state);
      expect(await reader.load()).toEqual(story.state);
      expect(await reader.replayCheck()).toEqual([]);
      expect(await reader.specText(`app/${id}` as never)).toBe(`# ${id}`);
    }
    expect(await reader.holder()).toEqual(lease);
    expect(await reader.events(0, 100)).toHaveLength(6);
    expect(await reader.eventsOf('app/B' as never)).toHaveLength(1);
    await reader.close();
  });

  it('reads a store that no process has open, and one that a crash left with a log', async () => {
    const file = storeFile();
    const story = new Story();
    const store = await openStore(file);
    const lease = await store.acquire('laptop', 7, 1000);
    await store.commit(lease, story.tell(...SET_UP, added('A')), story.state);
    // What a machine that lost its power has on disk: the database and its log, and no shared memory.
    const crashed = storeFile();
    copyFileSync(file, crashed);
    copyFileSync(`${file}-wal`, `${crashed}-wal`);
    await store.close();
    for (const path of [file, crashed]) {
      const reader = await openReader(path);
      expect(await reader.load()).toEqual(story.state);
      expect(await reader.holder()).toBeNull();
      await reader.close();
    }
  });

  it('cannot write', async () => {
    const file = storeFile();
    await (await openStore(file)).close();
    const db = openDatabase(file, { readonly: true, busyTimeoutMs: 100 });
    expect(() => db.exec('UPDATE lease SET epoch = 5')).toThrow(/readonly/);
    db.close();
  });
});

describe('migrations', () => {
  const second = 'ALTER TABLE nodes ADD COLUMN region TEXT';

  it('are applied once each, in order', async () => {
    const file = storeFile();
    await (await openStore(file)).close();
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 100 });
    migrate(db, () => {}, [...MIGRATIONS, second]);
    migrate(db, () => {}, [...MIGRATIONS, second]);
    expect(db.prepare('SELECT region FROM nodes').all()).toEqual([]);
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1);
    db.close();
  });

  it('leave the store as it was when one of them fails', async () => {
    const file = storeFile();
    await (await openStore(file)).close();
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 100 });
    expect(() =>
      migrate(db, () => {}, [...MIGRATIONS, second, 'ALTER TABLE nothing ADD COLUMN x']),
    ).toThrow();
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    expect(() => db.prepare('SELECT region FROM nodes')).toThrow();
    db.close();
  });

  it('are not applied under a live controller of an older version', async () => {
    const file = storeFile();
    const older = await openStore(file);
    await older.acquire('laptop', 4711, 1000);
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 100 });
    const upgrade = () => migrate(db, () => refuseWhileHeld(db), [...MIGRATIONS, second]);
    expect(upgrade).toThrow(/pid 4711 on laptop/);
    await older.close();
    upgrade();
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1);
    db.close();
  });

  it('ask before a store that exists is changed, and not for a new one', async () => {
    const file = storeFile();
    const refuse = () => {
      throw new Error('held');
    };
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 100 });
    migrate(db, refuse);
    expect(() => migrate(db, refuse, [...MIGRATIONS, second])).toThrow('held');
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    db.close();
  });
});

describe('the kind of file system', () => {
  const never = () => {
    throw new Error('not a FUSE type');
  };

  it('is refused by its number when it is a network one', () => {
    expect(networkType(0x6969, never)).toBe('NFS');
    expect(networkType(0xff534d42, never)).toBe('CIFS');
    expect(networkType(0xff534d42 | 0, never)).toBe('CIFS');
    for (const local of [0xef53, 0x9123683e, 0x58465342, 0x01021994, 0x794c7630]) {
      expect(networkType(local, never)).toBeNull();
    }
  });

  it('is refused by its name when it is a network one through FUSE', () => {
    const fuse = 0x65735546;
    expect(networkType(fuse, () => 'fuse.sshfs')).toBe('fuse.sshfs');
    expect(networkType(fuse, () => 'fuse.gocryptfs')).toBeNull();
    expect(networkType(fuse, () => null)).toBeNull();
  });

  it('is that of the innermost and newest mount', () => {
    const mounts = [
      '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
      '30 22 0:40 / /home/ana/far\\040away rw,nosuid shared:5 - fuse.sshfs ana@far:/ rw',
      '31 22 0:41 / /home/ana/x rw - tmpfs none rw',
      '32 22 0:42 / /home/ana/x rw - fuse.rclone cloud: rw',
      '',
    ].join('\n');
    expect(fuseName('/home/ana/far away/app/.dispatch', mounts)).toBe('fuse.sshfs');
    expect(fuseName('/home/ana/x', mounts)).toBe('fuse.rclone');
    expect(fuseName('/home/ana/xy', mounts)).toBe('ext4');
  });

  it('is told on macOS by the word local', () => {
    const mounts = [
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
      '/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)',
      '//ana@nas._smb._tcp.local/work on /Volumes/work (smbfs, nodev, nosuid, mounted by ana)',
      'map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)',
    ].join('\n');
    expect(networkMountOnMac('/Volumes/work/app/.dispatch', mounts)).toBe('smbfs');
    expect(networkMountOnMac('/System/Volumes/Data/Users/ana/.dispatch', mounts)).toBeNull();
    expect(networkMountOnMac('/Users/ana/.dispatch', mounts)).toBeNull();
  });
});

it('a private store in memory is nobody else’s', async () => {
  const one = await openStore(':memory:');
  const two = await openStore(':memory:');
  expect(await one.acquire('laptop', 7, 1000)).toMatchObject({ epoch: 1 });
  expect(await two.acquire('laptop', 7, 1000)).toMatchObject({ epoch: 1 });
  expect(new Database(':memory:').open).toBe(true);
});
