/**
 * Trees of attempts, and the pool of warm ones. A tree moves by rename: from the pool into an attempt, and back when
 * the attempt is forgotten and nothing in it is missed. Its index moves with it, always outside of the tree.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import {
  checkoutCold,
  checkoutWarm,
  makeAgentRepository,
  makeBorrowing,
  type TreePlace,
} from '../src/git/tree.ts';
import type { CommitId, ProjectName } from '../src/model/ids.ts';
import type { AttemptOrder, TreeOrder } from '../src/protocol/order.ts';
import { removeTree } from './remove.ts';
import { attemptDir, mirrorDir, type Root } from './root.ts';

/** Warm trees kept per project: two for each slot of a usual node, the agent's and the gate's. */
const POOL = 16;
/** Share of the disk that must be free for a tree to be kept. */
const ROOMY = 0.1;

export function treePlace(root: Root, order: AttemptOrder): TreePlace {
  const dir = attemptDir(root, order.token);
  return { gitDir: `${dir}/git`, index: `${dir}/git/index`, tree: `${dir}/tree` };
}

/** Branch that the agent works on. */
export function branchOf(order: AttemptOrder): string {
  return `dispatch/${order.task}-${order.n}`;
}

export function authorOf(order: AttemptOrder): string {
  return `dispatch/${order.task}`;
}

/** The attempt's tree at its base with a repository for the agent. Begins anew when it was interrupted. */
export async function prepareTree(root: Root, order: AttemptOrder, tree: TreeOrder): Promise<void> {
  const place = treePlace(root, order);
  await checkoutAt(root, order, place, tree.base);
  makeAgentRepository(place, {
    mirror: mirrorDir(root, order.project),
    base: tree.base,
    branch: branchOf(order),
    previous: tree.previous,
    author: authorOf(order),
  });
}

/** A clean checkout of the commit without any `.git`; returns its directory. */
export async function checkoutClean(root: Root, order: AttemptOrder, commit: CommitId): Promise<string> {
  const dir = attemptDir(root, order.token);
  const place: TreePlace = { gitDir: `${dir}/git`, index: `${dir}/git/check.index`, tree: `${dir}/check` };
  await checkoutAt(root, order, place, commit);
  return place.tree;
}

/** What attempts leave behind goes to the pool of the project, or away when the pool is full. Losing a race for a place only costs warmth. */
export async function releaseTrees(root: Root, project: ProjectName, dir: string): Promise<void> {
  for (const [tree, index] of [
    [`${dir}/tree`, `${dir}/git/index`],
    [`${dir}/check`, `${dir}/git/check.index`],
  ] as const) {
    const pool = `${root.pool}/${project}`;
    mkdirSync(pool, { recursive: true, mode: 0o700 });
    const names = readdirSync(pool);
    const slot = `${pool}/${freeName(names)}`;
    if (names.length < POOL && isRoomy(root) && moved(tree, index, slot)) continue;
    await removeTree(tree);
  }
}

async function checkoutAt(
  root: Root,
  order: AttemptOrder,
  place: TreePlace,
  commit: CommitId,
): Promise<void> {
  makeBorrowing(place.gitDir, mirrorDir(root, order.project), commit);
  await removeTree(place.tree);
  if (takeWarm(`${root.pool}/${order.project}`, place)) {
    if (await checkoutWarm(place, commit)) return;
    // What sent it away may be a directory that nobody can write into.
    await removeTree(place.tree);
  }
  await checkoutCold(place, commit);
}

/** Gives up all warm trees: the disk is needed, and they can be made again. */
export async function emptyPool(root: Root): Promise<void> {
  for (const project of namesIn(root.pool)) await removeTree(`${root.pool}/${project}`);
}

function isRoomy(root: Root): boolean {
  const { bavail, blocks } = statfsSync(root.path);
  return bavail > blocks * ROOMY;
}

/** Moves a tree of the pool into place; rename makes sure that two attempts never get the same. */
function takeWarm(pool: string, place: TreePlace): boolean {
  for (const name of namesIn(pool)) {
    const taken = `${pool}/${name}`;
    try {
      renameSync(`${taken}/tree`, place.tree);
    } catch {
      continue;
    }
    try {
      renameSync(`${taken}/index`, place.index);
      return true;
    } catch {
      return false;
    } finally {
      rmSync(taken, { recursive: true, force: true });
    }
  }
  return false;
}

function moved(tree: string, index: string, slot: string): boolean {
  try {
    mkdirSync(slot, { mode: 0o700 });
    renameSync(index, `${slot}/index`);
    renameSync(tree, `${slot}/tree`);
    return true;
  } catch {
    rmSync(slot, { recursive: true, force: true });
    return false;
  }
}

function freeName(names: readonly string[]): string {
  for (let at = 1; ; at += 1) if (!names.includes(String(at))) return String(at);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
