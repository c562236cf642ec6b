/**
 * A landing's git may outlive the controller that began it. Whoever puts another store in its place first moves
 * `refs/dispatch/fence`, against which every landing is held in the transaction that moves integration, and reads the
 * history only then: what landed before is in it, and what was begun before lands no more.
 */
import { HUB_ENV, isHub } from './hub-dir.ts';
import { commitTree, treeOf } from './merge-tree.ts';
import { FENCE, INTEGRATION, moveRef, readRef } from './refs.ts';
import type { RepoPlace } from './repo-place.ts';

/** Voids every landing in the hub that was begun and is not done; there is nothing to void where there is no hub. */
export async function fenceLandings(hub: string): Promise<void> {
  if (!isHub(hub)) return;
  const repo: RepoPlace = { gitDir: hub, env: HUB_ENV };
  const tip = await readRef(repo, INTEGRATION);
  if (tip === null) return;
  // On the one before, so that two fences of one second are two commits.
  const below = (await readRef(repo, FENCE)) ?? tip;
  const message = 'Another store was put in place: landings begun before are void\n';
  const fence = await commitTree(repo, await treeOf(repo, tip), [below], message);
  await moveRef(repo, FENCE, fence, null);
}
