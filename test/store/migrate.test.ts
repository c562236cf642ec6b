import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/sqlite/copy.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import { MIGRATIONS } from '../../src/store/sqlite/migrations/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { dumpOf } from './dump.ts';
import { stopsFrom, withStops } from './migration-stops.ts';
import { raw, runningChild, storeFile } from './scratch.ts';

/** In one file, because there are many of them and each would read all its sources. */
const CHILD = join(process.env.DISPATCH_DIST ?? 'dist', 'migration-child.mjs');
const sample = (): string =>
  readFileSync(fileURLToPath(new URL(`./samples/v${MIGRATIONS.length}.sql`, import.meta.url)), 'utf8');

beforeAll(() => {
  buildSync({
    entryPoints: [fileURLToPath(new URL('./migration-child.ts', import.meta.url))],
    outfile: CHILD,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['better-sqlite3'],
  });
});

describe('a migration that is killed', () => {
  it.each([
    ['a new store', 0],
    ['a store with data', MIGRATIONS.length],
  ])('before each statement leaves %s as it was, and the next one goes through', async (_, version) => {
    const file = storeFile();
    if (version > 0) raw(file).exec(sample());
    const before = version > 0 ? dumpOf(raw(file)) : null;
    for (const stop of stopsFrom(version)) {
      const child = runningChild(CHILD, file, String(stop));
      expect(await child.line()).toBe(`before ${stop}`);
      child.process.kill('SIGKILL');
      await child.ended;
      const db = raw(file);
      expect(db.pragma('user_version', { simple: true }), `killed before ${stop}`).toBe(version);
      if (before !== null) expect(dumpOf(db) === before, `killed before ${stop}`).toBe(true);
      db.close();
      // The copy of before the upgrade is whole at every moment.
      expect(existsSync(`${file}.before`)).toBe(version > 0);
      if (version > 0) {
        expect(checkStore(`${file}.before`).schema).toBe(version);
        rmSync(`${file}.before`);
      }
    }
    const last = runningChild(CHILD, file, 'never');
    expect(await last.line()).toBe('migrated');
    expect(await last.ended).toBe(0);
    expect(raw(file).pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1);
    expect(raw(file).prepare('SELECT count(*) FROM nodes WHERE region IS NULL').pluck().get()).toBe(0);
  });
});

describe('an upgrade', () => {
  it('that cannot be backed up first does not happen', async () => {
    const file = storeFile();
    raw(file).exec(sample());
    const db = openDatabase(file, { readonly: false, busyTimeoutMs: 1000 });
    db.function('halt', () => 0);
    const full = (): never => {
      throw new Error('no space for the backup');
    };
    expect(() => migrate(db, full, withStops())).toThrow('no space for the backup');
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    db.close();
  });

  it('to a schema that this program does not know is refused, with what to type', async () => {
    const file = storeFile();
    raw(file).exec(sample());
    raw(file).pragma(`user_version = ${MIGRATIONS.length + 1}`);
    await expect(openSqliteStore(file)).rejects.toMatchObject({
      code: 'E_STORE_VERSION',
      fix: expect.stringContaining('npm i -g dispatch@latest'),
    });
  });

  it.each([
    'ALTER TABLE nodes ADD COLUMN region TEXT',
    'DROP INDEX events_of_task',
    'DROP TRIGGER events_are_never_changed',
    'CREATE TABLE stalls (token TEXT)',
  ])(
    'is none when the tables are not those of the number (%s): refused by its name, unchanged',
    async (change) => {
      const file = storeFile();
      raw(file).exec(sample());
      raw(file).exec(change);
      const spoilt = dumpOf(raw(file));
      for (const open of [openSqliteStore, openReader])
        await expect(open(file)).rejects.toMatchObject({
          code: 'E_STORE_FORM',
          fix: expect.stringContaining('dispatch restore --from-hubs'),
        });
      expect(dumpOf(raw(file)) === spoilt).toBe(true);
    },
  );
});
