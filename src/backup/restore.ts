/**
 * Puts a backup back. Everything that can fail happens in a scratch directory: the backup is unpacked and checked, its
 * store is brought up to this program and told what has landed since. Only then does it take the place of the present
 * store, which is kept aside. Hubs lose nothing: what they have stays, and what they lack comes back. Files that a person
 * wrote come back where they are missing, or all of them when asked for.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Adopted } from '../controller/reconcile.ts';
import { freshMemory } from '../controller/memory.ts';
import { Turn } from '../controller/turn.ts';
import { fenceLandings } from '../git/fence.ts';
import { restoreHub } from '../git/hub-copy.ts';
import { DispatchError } from '../model/error.ts';
import { raiseEpoch } from '../store/sqlite/copy.ts';
import { holdStore } from '../store/sqlite/hold.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { adoptProject } from './adopt.ts';
import { epochOf, exchange, LEASES_SINCE } from './exchange.ts';
import type { BackupPlaces } from './make.ts';
import { type Manifest, STORE } from './manifest.ts';
import { stagingIn, unpack } from './pack.ts';

export interface RestoreOrder {
  readonly file: string;
  /** Files that a person wrote are put back even where others are there now. */
  readonly files: boolean;
  readonly now: Date;
}

export interface Restored extends Adopted {
  readonly manifest: Manifest;
  /** Where the store of before is; null: there was none. */
  readonly aside: string | null;
  /** Files that came back, relative to the home. */
  readonly files: readonly string[];
  /** Names that came back into hubs. */
  readonly refs: readonly string[];
}

/** @throws DispatchError E_CONTROLLER_RUNNING, E_BACKUP_BAD, E_STORE_DAMAGED, E_NOT_FOUND; then nothing has changed. */
export async function restoreBackup(places: BackupPlaces, order: RestoreOrder): Promise<Restored> {
  const { database, backups } = places;
  const scratch = stagingIn(backups);
  mkdirSync(dirname(database), { recursive: true, mode: 0o700 });
  try {
    const manifest = unpack(order.file, scratch);
    const letGo = holdStore(database, manifest.epoch);
    try {
      const fresh = join(scratch, STORE);
      raiseEpoch(fresh, Math.max(epochOf(database), manifest.epoch + LEASES_SINCE));
      const files = await putFilesBack(places, join(scratch, 'home'), order);
      const { refs, ...adopted } = await bringUpToDate(places, fresh, { scratch, manifest, now: order.now });
      const aside = exchange(database, fresh, order.now);
      return { manifest, aside, files, refs, ...adopted };
    } finally {
      letGo();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Upgrades the copy, brings the hubs back, and records what they say has landed since. */
async function bringUpToDate(
  { home, repos }: BackupPlaces,
  file: string,
  { scratch, manifest, now }: { scratch: string; manifest: Manifest; now: Date },
): Promise<Adopted & { refs: string[] }> {
  const store = await openSqliteStore(file);
  try {
    const lease = await store.acquire(hostname(), process.pid, now.getTime());
    const state = await store.load();
    const turn = new Turn(state, freshMemory(state), lease.epoch, now.getTime());
    turn.record({ type: 'controller.acquired', host: lease.host, pid: lease.pid });
    const found = { tasks: [] as string[], problems: [] as string[], refs: [] as string[] };
    for (const project of state.projects.values()) {
      const copy = manifest.hubs[project.name];
      const { repo, target } = project.config;
      if (repo === null) continue;
      const dir = join(repos, `${project.name}.git`);
      const bundle = join(scratch, 'hubs', `${project.name}.bundle`);
      if (copy !== undefined) found.refs.push(...(await restoreHub({ dir, repo, target }, copy, bundle)));
      // A landing whose git has outlived its controller is in the history that is read now, or it never lands.
      await fenceLandings(dir);
      const { tasks, problems } = await adoptProject(turn, home, project, dir);
      found.tasks.push(...tasks);
      found.problems.push(...problems);
    }
    await store.commit(lease, turn.events, state);
    const [first] = await store.replayCheck();
    if (first !== undefined)
      throw new DispatchError('E_BACKUP_BAD', `${first.what}.${first.field} differs from its log`);
    return found;
  } finally {
    await store.close();
  }
}

async function putFilesBack({ home }: BackupPlaces, from: string, order: RestoreOrder): Promise<string[]> {
  if (!existsSync(from)) return [];
  const back: string[] = [];
  const paths = readdirSync(from, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1));
  for (const path of paths.toSorted()) {
    const [source, to] = [join(from, path), join(home, path)];
    if (existsSync(to)) {
      if (!order.files || readFileSync(to).equals(readFileSync(source))) continue;
      renameSync(to, `${to}.before-restore`);
    }
    mkdirSync(dirname(to), { recursive: true });
    cpSync(source, to);
    back.push(path);
  }
  return back;
}
