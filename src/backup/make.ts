/**
 * Makes backups of a home: of all of it, beside a running controller, and of the store alone in the moment before its
 * schema is upgraded.
 */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { bundleHub } from '../git/hub-copy.ts';
import { DispatchError } from '../model/error.ts';
import { noStore } from '../store/sqlite/database.ts';
import { copyStore, readStoreFacts } from '../store/sqlite/copy.ts';
import {
  backupName,
  FORMAT,
  type HubPart,
  type Manifest,
  parseBackupName,
  type Reason,
  STORE,
} from './manifest.ts';
import { pack, stagingIn } from './pack.ts';
import { superfluous } from './retain.ts';

/** Where a home keeps what a backup is made of, and its backups. Absolute paths. */
export interface BackupPlaces {
  readonly home: string;
  readonly database: string;
  readonly repos: string;
  readonly backups: string;
}

export interface BackupOrder {
  readonly reason: Reason;
  /** File to write; null: among the backups of the home. */
  readonly to: string | null;
  readonly now: Date;
}

export interface Made {
  readonly file: string;
  readonly manifest: Manifest;
  /** Names of older ones that went. */
  readonly removed: readonly string[];
}

/** What a person wrote; keys are in files of their own, which a backup does not hold. */
const WRITTEN = ['nodes.json', 'executors.yaml', 'dispatch.yaml', 'alerts.yaml', 'specs'];
/** A part of a backup that was cut short is nobody's after this long, milliseconds. */
const STALE_MS = 24 * 60 * 60_000;

/**
 * A whole backup, proven to be readable; then older ones that are superfluous go.
 * @throws DispatchError E_NO_STORE, E_BACKUP_FAILED, E_STORE_DAMAGED, or what git says of a hub. Nothing is removed then.
 */
export async function makeBackup(places: BackupPlaces, order: BackupOrder): Promise<Made> {
  const { home, database, repos, backups } = places;
  if (!existsSync(database)) throw noStore(database);
  if (order.to !== null && existsSync(order.to))
    throw new DispatchError('E_BACKUP_FAILED', 'there is a file of that name', {
      where: order.to,
      fix: 'name another one: an older backup is not overwritten',
    });
  const stage = stagingIn(backups);
  try {
    copyStore(database, join(stage, STORE));
    copyWritten(home, join(stage, 'home'));
    const hubs = await bundleHubs(repos, join(stage, 'hubs'));
    const file = order.to ?? join(backups, backupName(order.now, order.reason));
    const manifest = packed(database, () => pack(stage, head(places, order, join(stage, STORE), hubs), file));
    return { file, manifest, removed: prune(backups, order.now) };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** The store alone, as it is before the transaction that upgrades it. @throws as makeBackup: then there is no upgrade. */
export function backUpStore(places: BackupPlaces, order: Omit<BackupOrder, 'to'>): string {
  const stage = stagingIn(places.backups);
  try {
    copyStore(places.database, join(stage, STORE));
    const file = join(places.backups, backupName(order.now, order.reason));
    pack(stage, head(places, order, join(stage, STORE), {}), file);
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** What packs proves that the copy can be read. A store that is damaged is named by its own path: the copy is gone by then. */
function packed(database: string, work: () => Manifest): Manifest {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_STORE_DAMAGED') throw error;
    throw new DispatchError('E_STORE_DAMAGED', 'no backup is made of a store that is damaged', {
      where: database,
      why: error.why ?? error.message,
      fix: 'dispatch replay --check',
      cause: error,
    });
  }
}

/** Backups of a home, newest first. */
export function backupsIn(backups: string): { name: string; at: number; reason: Reason; bytes: number }[] {
  return namesIn(backups)
    .flatMap((name) => {
      const known = parseBackupName(name);
      const stat = statSync(join(backups, name), { throwIfNoEntry: false });
      return known === null || stat === undefined ? [] : [{ name, ...known, bytes: stat.size }];
    })
    .toSorted((a, b) => b.at - a.at);
}

function head(
  { home }: BackupPlaces,
  { reason, now }: Omit<BackupOrder, 'to'>,
  store: string,
  hubs: Readonly<Record<string, HubPart>>,
): Omit<Manifest, 'files'> {
  const facts = readStoreFacts(store);
  return { format: FORMAT, reason, at: now.toISOString(), host: hostname(), home, ...facts, hubs };
}

function copyWritten(home: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of WRITTEN) {
    const from = join(home, name);
    if (!existsSync(from)) continue;
    // A link may lead anywhere, and what it leads to is not part of the home.
    const filter = (path: string): boolean => lstatSync(path).isDirectory() || lstatSync(path).isFile();
    cpSync(from, join(to, name), { recursive: true, filter });
  }
}

async function bundleHubs(repos: string, to: string): Promise<Record<string, HubPart>> {
  const hubs: Record<string, HubPart> = {};
  for (const name of namesIn(repos)) {
    if (!name.endsWith('.git')) continue;
    mkdirSync(to, { recursive: true });
    const project = name.slice(0, -'.git'.length);
    const part = await bundleHub(join(repos, name), join(to, `${project}.bundle`));
    if (part !== null) hubs[project] = part;
  }
  return hubs;
}

function prune(backups: string, now: Date): string[] {
  for (const name of namesIn(backups)) {
    const path = join(backups, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (name.startsWith('.part-') && stat !== undefined && now.getTime() - stat.mtimeMs > STALE_MS)
      rmSync(path, { recursive: true, force: true });
  }
  const gone = superfluous(namesIn(backups));
  for (const name of gone) rmSync(join(backups, name), { force: true });
  return gone;
}

function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).toSorted() : [];
}
