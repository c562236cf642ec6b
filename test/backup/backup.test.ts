/** Backups of homes with real stores: beside a process that writes, damaged on the way, and before an upgrade. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type BackupPlaces, backupsIn, backUpStore, makeBackup } from '../../src/backup/make.ts';
import { backupName } from '../../src/backup/manifest.ts';
import { unpack } from '../../src/backup/pack.ts';
import { restoreBackup } from '../../src/backup/restore.ts';
import { homePaths } from '../../src/controller/paths.ts';
import { openHub } from '../../src/git/hub.ts';
import { taskId } from '../../src/model/ids.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { candidate, landed, world } from '../git/hub-fixture.ts';
import { added, SET_UP, Story } from '../model/builder.ts';
import { child, openStore, scratch } from '../store/scratch.ts';

const NOW = new Date(Date.UTC(2026, 10, 19, 2));
const later = (days: number): Date => new Date(NOW.getTime() + days * 24 * 60 * 60_000);

describe('a backup', () => {
  it('beside a controller that goes on committing holds one moment of it, replayed', async () => {
    const places = home();
    const controller = child('commit', places.database);
    for (let heard = 0; heard < 20; heard += 1) await controller.line();
    for (const day of [0, 1, 2]) {
      const { file, manifest } = await makeBackup(places, { reason: 'daily', to: null, now: later(day) });
      // The child has three facts of its set-up and adds three tasks with each commit.
      expect((manifest.events - 3) % 3).toBe(0);
      expect(manifest.events).toBeGreaterThan(50);
      expect(unpack(file, scratch()).events).toBe(manifest.events);
      await controller.line();
    }
    controller.process.kill('SIGKILL');
    await controller.ended;
  });

  it('holds what a person wrote and no keys, and a file of its name is not overwritten', async () => {
    const places = home();
    await tell(places, 'A');
    mkdirSync(join(places.home, 'specs', 'app'), { recursive: true });
    for (const name of ['nodes.json', 'alerts.yaml', 'dispatch.yaml', 'executors.yaml'])
      writeFileSync(join(places.home, name), '[]');
    writeFileSync(join(places.home, 'specs', 'app', 'A.md'), '# A');
    writeFileSync(join(places.home, 'glm.key'), 'secret');
    const to = join(scratch(), 'fleet.tar.gz');
    const { manifest } = await makeBackup(places, { reason: 'asked', to, now: NOW });
    expect(Object.keys(manifest.files)).toEqual([
      'home/alerts.yaml',
      'home/dispatch.yaml',
      'home/executors.yaml',
      'home/nodes.json',
      'home/specs/app/A.md',
      'state.db',
    ]);
    await expect(makeBackup(places, { reason: 'asked', to, now: NOW })).rejects.toMatchObject({
      code: 'E_BACKUP_FAILED',
    });
  });

  it('that cannot be made leaves every older one, and no part of itself', async () => {
    const places = home();
    await tell(places, 'A');
    await makeBackup(places, { reason: 'daily', to: null, now: NOW });
    const old = Array.from({ length: 30 }, (_, day) => backupName(later(-100 - day), 'daily'));
    for (const name of old) writeFileSync(join(places.backups, name), 'old');
    // The tables no longer say what the log says.
    const db = new Database(places.database);
    db.exec('UPDATE tasks SET n = 7');
    db.close();
    const before = readdirSync(places.backups).toSorted();
    await expect(makeBackup(places, { reason: 'daily', to: null, now: later(1) })).rejects.toMatchObject({
      code: 'E_STORE_DAMAGED',
      why: expect.stringContaining('tasks app/A.n'),
    });
    expect(readdirSync(places.backups).toSorted()).toEqual(before);
  });

  it('before an upgrade has the store as it was before that transaction', async () => {
    const places = home();
    await tell(places, 'A');
    const db = new Database(places.database);
    db.exec('BEGIN IMMEDIATE; UPDATE tasks SET n = 7');
    const file = backUpStore(places, { reason: 'upgrade', now: NOW });
    db.exec('ROLLBACK');
    db.close();
    expect(unpack(file, scratch())).toMatchObject({ reason: 'upgrade', events: 4, schema: 1 });
  });
});

describe('a backup that is put back', () => {
  it('brings the state of then; the state of before is aside, and the next lease is newer than any', async () => {
    const places = home();
    await tell(places, 'A');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    await tell(places, 'B');
    const { aside, manifest } = await restoreBackup(places, { file, files: false, now: later(1) });
    expect(await tasksIn(places.database)).toEqual(['app/A']);
    expect(await tasksIn(join(aside ?? '', 'state.db'))).toEqual(['app/A', 'app/B']);
    const store = await openStore(places.database);
    expect((await store.acquire('laptop', 7, 1000)).epoch).toBeGreaterThan(manifest.epoch + 1);
    expect(await store.replayCheck()).toEqual([]);
  });

  it('is put back once more in the same second: what was aside stays', async () => {
    const places = home();
    await tell(places, 'A');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    await tell(places, 'B');
    const first = await restoreBackup(places, { file, files: false, now: later(1) });
    const second = await restoreBackup(places, { file, files: false, now: later(1) });
    expect(await tasksIn(join(first.aside ?? '', 'state.db'))).toEqual(['app/A', 'app/B']);
    expect(await tasksIn(join(second.aside ?? '', 'state.db'))).toEqual(['app/A']);
  });

  it.each([
    ['is gone', (file: string) => execFileSync('rm', [file])],
    ['is rubbish', (file: string) => writeFileSync(file, 'no database '.repeat(1000))],
  ])('needs nothing of a store that %s, and brings missing files back', async (_, ruin) => {
    const places = home();
    await tell(places, 'A');
    writeFileSync(join(places.home, 'nodes.json'), '[]');
    writeFileSync(join(places.home, 'dispatch.yaml'), 'lang: zh\n');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    ruin(places.database);
    execFileSync('rm', [join(places.home, 'nodes.json')]);
    writeFileSync(join(places.home, 'dispatch.yaml'), 'lang: en\n');
    const restored = await restoreBackup(places, { file, files: false, now: later(1) });
    expect(restored.files).toEqual(['nodes.json']);
    expect(await tasksIn(places.database)).toEqual(['app/A']);
    expect(readFileSync(join(places.home, 'dispatch.yaml'), 'utf8')).toBe('lang: en\n');
    const again = await restoreBackup(places, { file, files: true, now: later(2) });
    expect(again.files).toEqual(['dispatch.yaml']);
    expect(readFileSync(join(places.home, 'dispatch.yaml.before-restore'), 'utf8')).toBe('lang: en\n');
  });

  it('voids a landing whose git outlives the controller that began it', async () => {
    const places = home();
    await tell(places, 'A');
    const w = await world();
    const dir = join(places.repos, 'app.git');
    const hub = await openHub({ ...w.hub.place, dir });
    const onHub = { ...w, hub };
    const base = await hub.base();
    const tip = await landed(hub, await candidate(onHub, base, { 'a.txt': 'ONE\n' }), 'A');
    const late = await candidate(onHub, tip, { 'b.txt': 'TWO\n' });
    const merged = await hub.merge(tip, late.head, { task: taskId('A'), token: late.token, title: 'A' });
    if (!merged.clean) throw new Error('conflict');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    await restoreBackup(places, { file, files: false, now: later(1) });
    expect(await hub.land(tip, merged.commit)).toBe('raced');
    expect(await (await openHub(hub.place)).land(tip, merged.commit)).toBe('landed');
  });

  it('is refused while a controller runs, and changes nothing', async () => {
    const places = home();
    await tell(places, 'A');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    const holder = child('hold', places.database);
    await holder.line();
    holder.process.stdin?.write('go\n');
    await holder.line();
    const refused = restoreBackup(places, { file, files: true, now: later(1) });
    await expect(refused).rejects.toMatchObject({
      code: 'E_CONTROLLER_RUNNING',
      message: expect.stringContaining(`pid ${holder.process.pid}`),
    });
    expect(readdirSync(places.backups)).toEqual([file.slice(places.backups.length + 1)]);
  });

  it('is refused when a byte of it has changed, whichever it is', async () => {
    const places = home();
    await tell(places, 'A');
    const { file } = await makeBackup(places, { reason: 'asked', to: null, now: NOW });
    const good = readFileSync(file);
    for (const at of [0.1, 0.5, 0.9]) {
      const bytes = Buffer.from(good);
      const place = Math.floor(bytes.length * at);
      bytes[place] = (bytes[place] ?? 0) ^ 0xff;
      writeFileSync(file, bytes);
      const refused = restoreBackup(places, { file, files: false, now: later(1) });
      await expect(refused).rejects.toMatchObject({
        code: expect.stringMatching(/^E_(BACKUP_BAD|STORE_DAMAGED)$/u),
      });
    }
    expect(backupsIn(places.backups)).toHaveLength(1);
    expect(existsSync(`${places.database}.lock`)).toBe(false);
  });
});

function home(): BackupPlaces {
  const dir = join(scratch(), 'home');
  mkdirSync(homePaths(dir).state, { recursive: true });
  return { home: dir, ...homePaths(dir) };
}

/** A controller comes, adds a task, and goes. */
async function tell({ database }: BackupPlaces, id: string): Promise<void> {
  const store = await openStore(database);
  const lease = await store.acquire('laptop', process.pid, 1000);
  const story = new Story(await store.load());
  const setUp = story.state.projects.size === 0 ? SET_UP : [];
  await store.commit(lease, story.tell(...setUp, added(id)), story.state);
  await store.release(lease);
  await store.close();
}

async function tasksIn(database: string): Promise<string[]> {
  const reader = await openReader(database);
  try {
    return [...(await reader.load()).tasks.keys()];
  } finally {
    await reader.close();
  }
}
