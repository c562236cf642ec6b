/**
 * Whether a store has the form that its number stands for. A number is given out once for each release; a store that was
 * made between two of them may carry the number and have other columns, and would fail in the middle of something.
 */
import Database from 'better-sqlite3';
import { DispatchError } from '../../model/error.ts';
import type { Db } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** @throws DispatchError E_STORE_FORM naming the first table, index or trigger that is other. Nothing has changed then. */
export function expectForm(db: Db): void {
  const found = formOf(db);
  const wanted = ownForm();
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    if (found.get(name) === wanted.get(name)) continue;
    const how = !found.has(name) ? 'is missing' : wanted.has(name) ? 'is other' : 'is not known here';
    throw new DispatchError(
      'E_STORE_FORM',
      `the store says that it has schema ${MIGRATIONS.length}, and it is not the one of this program`,
      {
        where: db.name,
        why: `${name} ${how}: an unreleased dispatch has made it`,
        fix: 'use that dispatch; or a backup: dispatch restore <backup>; or begin anew with what has landed: dispatch restore --from-hubs',
      },
    );
  }
}

let own: ReadonlyMap<string, string> | null = null;

/** Made once: a database in memory takes a millisecond. */
function ownForm(): ReadonlyMap<string, string> {
  if (own !== null) return own;
  const db = new Database(':memory:');
  try {
    for (const sql of MIGRATIONS) db.exec(sql);
    own = formOf(db);
    return own;
  } finally {
    db.close();
  }
}

/** `table attempts` -> its statement, without comments and line breaks. */
function formOf(db: Db): Map<string, string> {
  const rows = db
    .prepare<[], { type: string; name: string; sql: string }>(
      'SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL',
    )
    .all();
  return new Map(rows.map(({ type, name, sql }) => [`${type} ${name}`, plain(sql)]));
}

function plain(sql: string): string {
  return sql
    .replaceAll(/--[^\n]*/gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}
