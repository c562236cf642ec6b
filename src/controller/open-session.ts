/** Opens a home's store, takes the lease, and begins the life of a controller. What fails half way is let go of again. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { backUpStore } from '../backup/make.ts';
import { loadProgram } from '../node/program.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { systemClock } from './clock.ts';
import { homePaths } from './paths.ts';
import { Session, type SessionOptions } from './session.ts';

/** @throws DispatchError E_CONTROLLER_RUNNING, what the store throws when it is opened, and what keeps a project from being taken over. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const paths = homePaths(options.home);
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore(paths.database, {
    beforeUpgrade: () =>
      backUpStore({ home: options.home, ...paths }, { reason: 'upgrade', now: new Date(systemClock.wall()) }),
  });
  try {
    const lease = await store.acquire(hostname(), process.pid, systemClock.wall());
    try {
      const program = await loadProgram();
      const session = new Session(options, { store, lease, program, state: await store.load() });
      await session.begin();
      return session;
    } catch (error) {
      await store.release(lease);
      throw error;
    }
  } catch (error) {
    await store.close();
    throw error;
  }
}
