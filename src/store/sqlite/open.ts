/**
 * The store on SQLite. `events` is the truth and only grows; projects, nodes, tasks and attempts are derived from it and
 * are written in the transaction that appends, from the state in memory, only where the events touched them (see
 * touched.ts). So a start loads rows instead of replaying the log, a reader in another process sees finished states
 * only, and `replayCheck` can prove at any time that the two agree. Nothing of the events is kept in memory.
 *
 * better-sqlite3 is synchronous, and that is what is wanted of an embedded store: a commit is over when the call
 * returns, and no other work of this process gets between its statements. The methods are asynchronous for the sake of
 * an implementation that talks to a server.
 */
import type { Lease, Store } from '../port.ts';
import { committer } from './commit.ts';
import { type Db, openDatabase } from './database.ts';
import { withStoreErrors } from './errors.ts';
import { expectForm } from './form.ts';
import { leases, refuseWhileHeld } from './lease.ts';
import { migrate } from './migrate.ts';
import { readerOf } from './reader.ts';

export interface SqliteOptions {
  /** How long a write waits for another process's write to end, milliseconds; 5000 by default. It blocks this process. */
  readonly busyTimeoutMs?: number;
  /**
   * Keeps a copy of a store that is about to be upgraded; nobody writes to it meanwhile. What it throws leaves the store as
   * it is.
   */
  readonly beforeUpgrade?: () => unknown;
}

/**
 * Opens, and if needed makes or upgrades, the store of a home. `:memory:` is a private store that is gone when closed;
 * it has no lock file, and whoever acquires it last holds it.
 * @throws DispatchError E_STORE_VERSION for a store written by a newer dispatch, E_STORE_FORM by
 *   an unreleased one, E_CONTROLLER_RUNNING when an older one
 *   would have to be upgraded under a live controller, E_NETWORK_FS, E_SQLITE_VERSION, E_STORE_ACCESS, E_STORE_DAMAGED,
 *   E_NO_SPACE, E_STORE_IO.
 */
export async function openSqliteStore(file: string, options: SqliteOptions = {}): Promise<Store> {
  const db = openDatabase(file, { readonly: false, busyTimeoutMs: options.busyTimeoutMs ?? 5000 });
  try {
    const before = (): void => {
      refuseWhileHeld(db);
      options.beforeUpgrade?.();
    };
    withStoreErrors(file, () => {
      migrate(db, before);
      expectForm(db);
    });
    return storeOf(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function storeOf(db: Db): Store {
  const leaseRow = leases(db);
  const commit = committer(db, leaseRow);
  let held: Lease | null = null;
  const write = async <T>(work: () => T): Promise<T> => withStoreErrors(db.name, work);
  return {
    ...readerOf(db),
    acquire: (host, pid, now) =>
      write(() => {
        held = leaseRow.acquire(host, pid, now);
        return held;
      }),
    release: (lease) =>
      write(() => {
        leaseRow.release(lease);
        if (held?.epoch === lease.epoch) held = null;
      }),
    commit: (lease, events, state) => write(() => commit(lease, events, state)),
    close: async () => {
      if (!db.open) return;
      try {
        const lease = held;
        if (lease !== null) await write(() => leaseRow.release(lease));
      } finally {
        db.close();
      }
    },
  };
}
