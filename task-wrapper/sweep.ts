/**
 * Space, made on request: everything here that can be made again, and nothing that cannot. Warm trees, prepared
 * directories that no attempt uses, logs of forgotten attempts that are older than a day, what interrupted transfers
 * left, and mirrors of projects that nothing here belongs to any more. Work that nobody has fetched stays its full time
 * in the trash, and mirrors that it borrows objects from stay with it.
 */
import { readdirSync, statSync } from 'node:fs';
import type { Replies } from '../src/protocol/messages.ts';
import type { ProjectName } from '../src/model/ids.ts';
import { readIfThere } from './durable.ts';
import { freeSpace } from './probe.ts';
import { readOrder } from './record.ts';
import { removeTree } from './remove.ts';
import { sweep } from './retire.ts';
import { mirrorDir, type Root } from './root.ts';

const HOUR_MS = 3_600_000;
const KEEP_LOGS_MS = 24 * HOUR_MS;
const KEEP_MIRROR_MS = 24 * HOUR_MS;

/** @returns what was removed, in words, and the bytes and files that can be written now. */
export async function makeRoom(root: Root): Promise<Replies['sweep']> {
  const before = freeSpace(root);
  const removed: [what: string, count: number][] = [
    ['warm trees', await removeAll(warmTrees(root))],
    ['prepared directories', await removeAll(preparedUnused(root))],
    ['old logs', await sweep(root, KEEP_LOGS_MS)],
    ['leftovers of transfers', await removeAll([...transferLeftovers(root), ...packLeftovers(root)])],
    ['stale mirrors', await removeAll(staleMirrors(root))],
  ];
  const { bytes, files } = freeSpace(root);
  const did = removed.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
  const freed = Math.max(0, bytes - before.bytes);
  return { removed: did, freed, free: bytes, files: Number.isFinite(files) ? files : null };
}

async function removeAll(paths: readonly string[]): Promise<number> {
  for (const path of paths) await removeTree(path);
  return paths.length;
}

function warmTrees(root: Root): string[] {
  return namesIn(root.pool).flatMap((project) =>
    namesIn(`${root.pool}/${project}`).map((slot) => `${root.pool}/${project}/${slot}`),
  );
}

/** One that is being looked for this moment was touched a moment ago. */
function preparedUnused(root: Root): string[] {
  const home = `${root.path}/prepared`;
  const used = new Set(
    readdirSync(root.attempts).map((token) => readIfThere(`${root.attempts}/${token}/prepared`)),
  );
  return namesIn(home).flatMap((project) =>
    namesIn(`${home}/${project}`)
      .filter((name) => !name.startsWith('making-') && !used.has(name))
      .map((name) => `${home}/${project}/${name}`)
      .filter((path) => ageOf(path) > HOUR_MS),
  );
}

/**
 * What a supervisor that was killed had under way: transfers, a probe of the sandbox, a file that was to replace another.
 * Called by the next one before it does anything of the kind itself.
 */
export async function removeInterrupted({ run }: Root): Promise<void> {
  const files = namesIn(run).filter((name) => /^(?:upload|bundle|sandbox)-|\.new$/.test(name));
  await removeAll(files.map((name) => `${run}/${name}`));
}

function transferLeftovers({ run }: Root): string[] {
  return namesIn(run)
    .filter((name) => name.startsWith('bundle-'))
    .map((name) => `${run}/${name}`)
    .filter((path) => ageOf(path) > HOUR_MS);
}

function packLeftovers(root: Root): string[] {
  return namesIn(root.repos).flatMap((mirror) => {
    const packs = `${root.repos}/${mirror}/objects/pack`;
    return namesIn(packs)
      .filter((name) => name.startsWith('tmp_'))
      .map((name) => `${packs}/${name}`)
      .filter((path) => ageOf(path) > HOUR_MS);
  });
}

/** Attempts, and work in the trash, borrow their objects. */
function staleMirrors(root: Root): string[] {
  const needed = new Set(
    [root.attempts, root.trash].flatMap((dir) =>
      namesIn(dir).flatMap((token) => {
        const order = readOrder(`${dir}/${token}`);
        return order === null ? [] : [mirrorDir(root, order.project)];
      }),
    ),
  );
  return namesIn(root.repos)
    .filter((name) => name.endsWith('.git'))
    .map((name) => mirrorDir(root, name.slice(0, -4) as ProjectName))
    .filter((mirror) => !needed.has(mirror) && ageOf(`${mirror}/refs/base`) > KEEP_MIRROR_MS);
}

/** Milliseconds since it was changed; 0 when it is not there. */
function ageOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
