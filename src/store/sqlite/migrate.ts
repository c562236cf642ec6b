/**
 * Brings a database to the schema of this program. `user_version` holds the number of migrations applied; all that are
 * missing are applied in one transaction, so a store is never between two versions.
 */
import { DispatchError } from '../../model/error.ts';
import { APPLICATION_ID, type Db, noStore } from './database.ts';
import { expectForm } from './form.ts';
import { MIGRATIONS } from './migrations/index.ts';

/**
 * Applies what is missing. `beforeUpgrade` runs in the transaction before a store that exists already is changed, and
 * may throw to refuse.
 * @throws DispatchError E_STORE_VERSION when the store is newer than the program.
 */
export function migrate(db: Db, beforeUpgrade: () => void, migrations: readonly string[] = MIGRATIONS): void {
  if (versionOf(db) === migrations.length) return;
  db.transaction(() => {
    // Read again under the write lock: another process may have migrated meanwhile.
    const version = versionOf(db);
    if (version === migrations.length) return;
    refuseNewer(db, version, migrations.length);
    if (version > 0) beforeUpgrade();
    for (const sql of migrations.slice(version)) db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}

/**
 * For readers, which change nothing.
 * @throws DispatchError E_NO_STORE for a file that no controller has set up, E_STORE_VERSION unless the version fits,
 *   E_STORE_FORM unless the tables do.
 */
export function expectVersion(db: Db): void {
  const version = versionOf(db);
  if (version === 0) throw noStore(db.name);
  refuseNewer(db, version, MIGRATIONS.length);
  if (version < MIGRATIONS.length) {
    throw new DispatchError(
      'E_STORE_VERSION',
      `the store has schema ${version}, this program ${MIGRATIONS.length}`,
      {
        where: db.name,
        why: 'a store is upgraded by the controller that writes to it, not by verbs that read',
        fix: 'dispatch start <project>',
      },
    );
  }
  expectForm(db);
}

/** Number of migrations the database has seen; 0 for an empty one. */
function versionOf(db: Db): number {
  return Number(db.pragma('user_version', { simple: true }));
}

function refuseNewer(db: Db, version: number, known: number): void {
  if (version <= known) return;
  throw new DispatchError(
    'E_STORE_VERSION',
    `the store has schema ${version}, this program only knows ${known}`,
    {
      where: db.name,
      why: 'a newer dispatch has written it',
      fix: 'use that version of dispatch: npm i -g dispatch@latest',
    },
  );
}
