/**
 * The reverse of what a task landed, as a branch like any other: it begins at the merge that brought the task in and has
 * the tree that was there before. Merged onto integration, git's three ways are then that merge (base), integration
 * (ours) and what was before it (theirs): what the task did is taken back, what came later stays.
 */
import { DispatchError } from '../model/error.ts';
import type { CommitId, Token } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { commitTree, firstParent, treeOf } from './merge-tree.ts';
import { moveRef, readRef, reverseRef } from './refs.ts';
import { mergeMessage, mergeOf, type MergeLabel } from './trailers.ts';

/**
 * The reverse commit of the task's work, kept as `refs/undo/<token>`; the same one however often it is asked for.
 * @param landed the commit of integration that brought the work in, perhaps together with other work.
 * @throws DispatchError E_MERGE_UNSOUND when that commit does not say so.
 */
export async function reverseOf(repo: RepoPlace, landed: CommitId, label: MergeLabel): Promise<CommitId> {
  const ref = reverseRef(label.token);
  const known = await readRef(repo, ref);
  if (known !== null) return known;
  const merge = await mergeOf(repo, landed, label.token);
  if (merge === null) throw neverLanded(landed, label.token);
  const before = await treeOf(repo, await firstParent(repo, merge));
  const reverse = await commitTree(repo, before, [merge], mergeMessage({ ...label, undoes: true }));
  await moveRef(repo, ref, reverse, null);
  return reverse;
}

function neverLanded(landed: CommitId, token: Token): DispatchError {
  return new DispatchError('E_MERGE_UNSOUND', `${landed.slice(0, 12)} did not bring in attempt ${token}`, {
    why: 'its message does not name the attempt',
  });
}
