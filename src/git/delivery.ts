/**
 * The last step: what has landed on integration goes to the target branch of the user's repository. The target moves
 * only forward, only from where it was seen, and only while no working copy has it checked out.
 *
 * A crash between the push and the move of integration is mended by doing the same again: a target that has the commit
 * already is a delivery that has happened.
 */
import { DispatchError } from '../model/error.ts';
import type { CommitId, ProjectName, TaskId } from '../model/ids.ts';
import { type Checkout, checkoutsOf } from './checkout.ts';
import type { RepoPlace } from './repo-place.ts';
import { brokenHub } from './hub-dir.ts';
import { commitTree, mergeBases, mergeTree, treeOf } from './merge-tree.ts';
import { INTEGRATION, isAncestor, moveRef, resultRef } from './refs.ts';
import { shellWord } from './remote-error.ts';
import { deliveryMessage, landedMerges, tasksIn } from './trailers.ts';
import type { Upstream } from './upstream.ts';

export interface DeliverySides {
  readonly repo: RepoPlace;
  readonly upstream: Upstream;
  readonly project: ProjectName;
  readonly target: string;
}

export type Prepared =
  /** This commit would land. `commit` is integration itself, or a merge of the target that has moved with it. */
  | {
      readonly kind: 'made';
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId;
    }
  /** The target has everything already; `commit` is its tip. */
  | {
      readonly kind: 'nothing';
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId;
    }
  | { readonly kind: 'refused'; readonly problem: DispatchError };

export type Delivered =
  | { readonly kind: 'delivered'; readonly tasks: readonly TaskId[] }
  /** The target is not at `targetTip` any more. */
  | { readonly kind: 'raced' }
  /** Only a person can mend it. */
  | { readonly kind: 'refused'; readonly problem: DispatchError };

/** What would land if integration and the target stay where they are. Moves no branch. */
export async function prepareDelivery(
  sides: DeliverySides,
  onto: CommitId,
  targetTip: CommitId,
): Promise<Prepared> {
  const { repo, target } = sides;
  if (await isAncestor(repo, onto, targetTip)) {
    return { kind: 'nothing', commit: targetTip, tree: await treeOf(repo, targetTip), onto, targetTip };
  }
  if (await isAncestor(repo, targetTip, onto)) {
    return { kind: 'made', commit: onto, tree: await treeOf(repo, onto), onto, targetTip };
  }
  if ((await mergeBases(repo, onto, targetTip)).length === 0) {
    const why = `integration and ${target} share no history: \`repo\` or \`target\` names something else than before`;
    return { kind: 'refused', problem: brokenHub(repo.gitDir, why) };
  }
  const merged = await mergeTree(repo, onto, targetTip, 'follow');
  if (!merged.clean) return { kind: 'refused', problem: await targetConflict(sides, onto, merged.paths) };
  const commit = await commitTree(repo, merged.tree, [onto, targetTip], deliveryMessage(target));
  return { kind: 'made', commit, tree: merged.tree, onto, targetTip };
}

export interface DeliveryStep {
  readonly commit: CommitId;
  /** Where integration was when `commit` was prepared. */
  readonly onto: CommitId;
  /** Where the target was then. */
  readonly targetTip: CommitId;
  /** Where the target is now. */
  readonly now: CommitId;
}

/** @throws DispatchError E_REPO_UNREACHABLE and other failures after which the same step may be tried again. */
export async function deliver(sides: DeliverySides, step: DeliveryStep): Promise<Delivered> {
  const { repo, upstream, target } = sides;
  const { commit, onto, targetTip, now } = step;
  if (!(await isAncestor(repo, commit, now))) {
    if (now !== targetTip) return { kind: 'raced' };
    if (!(await isAncestor(repo, targetTip, commit))) {
      throw new DispatchError('E_MERGE_UNSOUND', `${commit} does not stand on the target's tip ${targetTip}`);
    }
    if (upstream.remote.kind === 'local') {
      const checkouts = await checkoutsOf(upstream.remote.path, target);
      if (checkouts.length > 0)
        return { kind: 'refused', problem: await checkedOut(sides, commit, checkouts) };
    }
    const pushed = await upstream.pushBranch(repo, target, commit, targetTip);
    if (pushed.kind === 'raced') return { kind: 'raced' };
    if (pushed.kind === 'checked-out')
      return { kind: 'refused', problem: await checkedOut(sides, commit, []) };
    if (pushed.kind === 'refused') return { kind: 'refused', problem: pushRefused(sides, pushed.words) };
  }
  // Integration may have gone on from `onto` meanwhile; then it keeps what it has, and the next delivery joins the two.
  await moveRef(repo, INTEGRATION, commit, onto);
  const merges = await landedMerges(repo, targetTip, commit, false);
  return { kind: 'delivered', tasks: tasksIn(merges) };
}

/** Leaves the result in the user's repository under a name of our own. @returns a sentence that says so. */
async function publish({ repo, upstream, project }: DeliverySides, commit: CommitId): Promise<string> {
  const ref = resultRef(project);
  const pushed = await upstream.pushOwn(repo, ref, commit);
  return pushed.kind === 'pushed'
    ? `the verified result is in your repository as ${ref}`
    : `the result could not be put into your repository as ${ref} either; it is in ${repo.gitDir}`;
}

async function checkedOut(
  sides: DeliverySides,
  commit: CommitId,
  checkouts: readonly Checkout[],
): Promise<DispatchError> {
  const { upstream, target, project } = sides;
  const said = await publish(sides, commit);
  const ref = resultRef(project);
  const places = checkouts.map(({ path, changes }) => `${path} (${state(changes)})`).join(', ');
  const [first] = checkouts;
  const copy = first === undefined ? '<working copy>' : shellWord(first.path);
  return new DispatchError(
    'E_TARGET_CHECKED_OUT',
    `${target} is checked out ${places === '' ? `in ${upstream.remote.url}` : `in ${places}`}`,
    {
      where: upstream.remote.url,
      why: `dispatch never moves a branch under a working copy; ${said}`,
      fix: `take it with: git -C ${copy} merge --ff-only ${ref} — or free the branch with: git -C ${copy} switch --detach, and run: dispatch collect ${project}`,
    },
  );
}

function state(changes: number | null): string {
  if (changes === null) return 'state unknown';
  if (changes === 0) return 'clean';
  return `dirty: ${changes} uncommitted ${changes === 1 ? 'file' : 'files'}`;
}

async function targetConflict(
  sides: DeliverySides,
  onto: CommitId,
  paths: readonly string[],
): Promise<DispatchError> {
  const { upstream, target, project } = sides;
  const said = await publish(sides, onto);
  const shown = paths.slice(0, 10).join(', ');
  const more = paths.length > 10 ? `, and ${paths.length - 10} more` : '';
  return new DispatchError('E_TARGET_CONFLICT', `${target} has changed and conflicts with the merged work`, {
    where: upstream.remote.url,
    why: `in ${shown}${more}; ${said}`,
    fix: `in a working copy of ${target}: git merge ${resultRef(project)}, solve the conflict, and run: dispatch collect ${project}`,
  });
}

function pushRefused({ upstream, target, project }: DeliverySides, words: string): DispatchError {
  return new DispatchError('E_PUSH_REFUSED', `${upstream.remote.url} refused the push to ${target}`, {
    where: upstream.remote.url,
    why: words,
    fix: `change the rule that refused it, or name another \`target\`, and run: dispatch collect ${project}`,
  });
}
