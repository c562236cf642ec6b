import { join } from 'node:path';

/** Where things are in a home's `.dispatch/`. */
export interface HomePaths {
  readonly state: string;
  readonly database: string;
  readonly socket: string;
  readonly repos: string;
  /** What /health/deep wants. */
  readonly healthToken: string;
  /** Bundles on their way. */
  readonly temporary: string;
  readonly backups: string;
  /** What could not be applied. */
  readonly aside: string;
}

export function homePaths(home: string): HomePaths {
  const state = join(home, '.dispatch');
  return {
    state,
    database: join(state, 'state.db'),
    socket: join(state, 'controller.sock'),
    healthToken: join(state, 'health.token'),
    repos: join(state, 'repos'),
    temporary: join(state, 'tmp'),
    backups: join(state, 'backups'),
    aside: join(state, 'aside'),
  };
}
