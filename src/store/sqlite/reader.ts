import type { Reader } from '../port.ts';
import { type Db, openDatabase } from './database.ts';
import { withStoreErrors } from './errors.ts';
import { holderOf } from './lease.ts';
import { stateLoader } from './load.ts';
import { expectVersion } from './migrate.ts';
import { replayDifferences } from './replay.ts';
import { eventsAfter, eventsOfTask, specTextOf } from './rows/events.ts';
import { taskNames } from './rows/tasks.ts';

export interface ReaderOptions {
  /** How long a read waits while the file is recovered after a crash, milliseconds; 5000 by default. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens the store of a home for reading only. A controller may write at the same time; each call sees one consistent
 * state of the store.
 * @throws DispatchError E_NO_STORE when no controller has run in the home yet, E_STORE_VERSION when the store was
 *   written by another version of dispatch.
 */
export async function openReader(file: string, options: ReaderOptions = {}): Promise<Reader> {
  const db = openDatabase(file, { readonly: true, busyTimeoutMs: options.busyTimeoutMs ?? 5000 });
  try {
    withStoreErrors(file, () => expectVersion(db));
  } catch (error) {
    db.close();
    throw error;
  }
  return readerOf(db);
}

/** The reading half of a store on a connection of whatever mode. */
export function readerOf(db: Db): Reader {
  const after = eventsAfter(db);
  const ofTask = eventsOfTask(db);
  const specText = specTextOf(db);
  const names = taskNames(db);
  const load = stateLoader(db);
  const read = async <T>(work: () => T): Promise<T> => withStoreErrors(db.name, work);
  return {
    load: () => read(load),
    taskNames: (begin, limit) => read(() => names(begin, limit)),
    specText: (task) => read(() => specText(task)),
    events: (from, limit) => read(() => after(from, limit)),
    eventsOf: (task) => read(() => ofTask(task)),
    holder: () => read(() => holderOf(db)),
    replayCheck: () => read(() => replayDifferences(db, load)),
    close: async () => {
      db.close();
    },
  };
}
