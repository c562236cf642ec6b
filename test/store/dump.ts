/** A database as SQL text: the schema as SQLite keeps it, and the rows. */
import type Database from 'better-sqlite3';

/** `CREATE` statements of everything in the schema, by name. */
export function schemaOf(db: Database.Database): string {
  const statements = db
    .prepare<[], string>(`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name`)
    .pluck()
    .all();
  return `${statements.map((sql) => `${sql};`).join('\n\n')}\n`;
}

/** Statements that make an equal database. Triggers come last, so that they do not meet the rows on their way in. */
export function dumpOf(db: Database.Database): string {
  const objects = db
    .prepare<[], { type: string; name: string; sql: string }>(
      'SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid',
    )
    .all();
  const of = (type: string) => objects.filter((object) => object.type === type);
  const pragma = (name: string) => `PRAGMA ${name} = ${String(db.pragma(name, { simple: true }))};`;
  return [
    'BEGIN;',
    pragma('application_id'),
    pragma('user_version'),
    ...of('table').map(({ sql }) => `${sql};`),
    ...of('table').flatMap(({ name }) => rowsOf(db, name)),
    ...[...of('index'), ...of('trigger')].map(({ sql }) => `${sql};`),
    'COMMIT;',
    '',
  ].join('\n');
}

function rowsOf(db: Database.Database, table: string): string[] {
  const columns = db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table);
  const names = columns.join(', ');
  const values = columns.map((column) => `quote(${column})`).join(` || ', ' || `);
  return db
    .prepare<[], string>(
      `SELECT 'INSERT INTO ${table} (${names}) VALUES (' || ${values} || ');' FROM ${table}`,
    )
    .pluck()
    .all();
}
