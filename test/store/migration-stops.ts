/** The migrations of this program and a next one, each cut into its statements with a place to stop before each. */
import { MIGRATIONS } from '../../src/store/sqlite/migrations/index.ts';

/** What an upgrade of a used store does: another column, another table, data that moves. */
const NEXT = `
ALTER TABLE nodes ADD COLUMN region TEXT;
CREATE TABLE places (name TEXT PRIMARY KEY, node TEXT NOT NULL REFERENCES nodes (name)) STRICT;
INSERT INTO places SELECT 'at-' || name, name FROM nodes;
UPDATE nodes SET region = 'here';
CREATE INDEX nodes_of_region ON nodes (region);
`;

const ALL: readonly string[] = [...MIGRATIONS, NEXT];

/** The same, calling \`halt(n)\` before statement n, and once more after the last. */
export function withStops(): string[] {
  let at = 0;
  const halt = (): string => `SELECT halt(${at++});\n`;
  return ALL.map((sql, index) => {
    const cut = statementsOf(sql).map((statement) => `${halt()}${statement}\n`);
    return cut.join('') + (index === ALL.length - 1 ? halt() : '');
  });
}

/** How many places there are. @param from version of the store that is migrated. */
export function stopsFrom(from: number): number[] {
  const before = ALL.slice(0, from).reduce((sum, sql) => sum + statementsOf(sql).length, 0);
  const all = ALL.reduce((sum, sql) => sum + statementsOf(sql).length, 0);
  return Array.from({ length: all - before + 1 }, (_, stop) => before + stop);
}

/** Triggers hold a semicolon of their own; their END closes them. Comments may hold anything. */
function statementsOf(sql: string): string[] {
  const plain = sql.replaceAll(/--.*$/gmu, '');
  const found = plain.match(/\s*CREATE TRIGGER[\s\S]*?END;|[^;]+;/gu) ?? [];
  return found.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
