/**
 * Makes a new store of what a home has besides: the files that a person wrote, and the history of the hubs, which says what
 * has landed. For whoever has neither a store that can be read nor a backup. What was under way is not known any more:
 * such attempts stay on their nodes, merge never, and `dispatch rescue` shows them; their tasks run again.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { freshMemory } from '../controller/memory.ts';
import type { Adopted } from '../controller/reconcile.ts';
import { Turn } from '../controller/turn.ts';
import { fenceLandings } from '../git/fence.ts';
import { DispatchError } from '../model/error.ts';
import { listProjects } from '../spec/load.ts';
import { raiseEpoch } from '../store/sqlite/copy.ts';
import { holdStore } from '../store/sqlite/hold.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { adoptProject, addSpecs } from './adopt.ts';
import { epochOf, exchange, LEASES_SINCE } from './exchange.ts';
import type { BackupPlaces } from './make.ts';
import { STORE } from './manifest.ts';
import { stagingIn } from './pack.ts';

export interface Rebuilt extends Adopted {
  /** Where the store of before is; null: there was none. */
  readonly aside: string | null;
}

/** @throws DispatchError E_CONTROLLER_RUNNING, E_NOT_FOUND for a home without projects; then nothing has changed. */
export async function rebuildStore(places: BackupPlaces, now: Date): Promise<Rebuilt> {
  const { database, backups, home } = places;
  const projects = await listProjects(home);
  if (projects.length === 0)
    throw new DispatchError('E_NOT_FOUND', 'there is no project in specs/', { where: home });
  const scratch = stagingIn(backups);
  mkdirSync(dirname(database), { recursive: true, mode: 0o700 });
  try {
    const letGo = holdStore(database, 0);
    try {
      const fresh = join(scratch, STORE);
      const adopted = await makeStore(places, fresh, now);
      return { aside: exchange(database, fresh, now), ...adopted };
    } finally {
      letGo();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function makeStore(places: BackupPlaces, file: string, now: Date): Promise<Adopted> {
  await (await openSqliteStore(file)).close();
  // Nodes follow the greatest epoch they have heard of, and perhaps nobody here knows which that is: no home is given a
  // lease a second, so one that counts seconds is greater.
  raiseEpoch(file, Math.max(epochOf(places.database), Math.floor(now.getTime() / 1000)) + LEASES_SINCE);
  const store = await openSqliteStore(file);
  try {
    const lease = await store.acquire(hostname(), process.pid, now.getTime());
    const state = await store.load();
    const turn = new Turn(state, freshMemory(state), lease.epoch, now.getTime());
    turn.record({ type: 'controller.acquired', host: lease.host, pid: lease.pid });
    for (const name of await listProjects(places.home))
      await fenceLandings(join(places.repos, `${name}.git`));
    const found = await learn(turn, places);
    await store.commit(lease, turn.events, state);
    return found;
  } finally {
    await store.close();
  }
}

/** Records what the files and the hubs of a home say, in a state that knows nothing. */
export async function learn(
  turn: Turn,
  { home, repos }: Pick<BackupPlaces, 'home' | 'repos'>,
): Promise<Adopted> {
  const found: Adopted = { tasks: [], problems: [] };
  for (const name of await listProjects(home)) {
    const refused = await addSpecs(turn, home, name);
    const project = turn.state.projects.get(name);
    if (refused !== null || project === undefined) {
      found.problems.push(`${name} is left out: ${refused ?? 'it cannot be read'}`);
      continue;
    }
    if (project.config.repo === null) continue;
    const { tasks, problems } = await adoptProject(turn, home, project, join(repos, `${name}.git`));
    found.tasks.push(...tasks);
    found.problems.push(...problems);
  }
  return found;
}
