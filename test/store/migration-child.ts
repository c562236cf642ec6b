/** Migrates a store, statement by statement, and stops for ever before the one with this number: `<file> <stop>`. */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import { copyStore } from '../../src/store/sqlite/copy.ts';
import { withStops } from './migration-stops.ts';

const [file = '', stop = ''] = process.argv.slice(2);
const db = openDatabase(file, { readonly: false, busyTimeoutMs: 1000 });
db.function('halt', { deterministic: false }, (number) => {
  if (number !== Number(stop)) return number;
  writeSync(1, `before ${stop}\n`);
  // Nothing of this process runs any more, least of all a rollback: it is killed here.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return null;
});
migrate(db, () => copyStore(file, `${file}.before`), withStops());
writeSync(1, 'migrated\n');
db.close();
