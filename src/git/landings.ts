/** What the history of integration says has landed, with all that a store would have recorded of it. */
import { type CommitId, commitId, type TaskId, type Token } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { HUB_ENV, isHub } from './hub-dir.ts';
import { mergeBases, treeOf } from './merge-tree.ts';
import { changedBetween } from './projection.ts';
import { INTEGRATION, isAncestor, readRef, START } from './refs.ts';
import { landedCommits, type LandedCommit } from './trailers.ts';
import { presentCommits } from './tree-read.ts';

/** One step of integration. */
export interface Landing {
  readonly commit: CommitId;
  /** Integration before it. */
  readonly onto: CommitId;
  /** Lowest of the stack first. */
  readonly brings: readonly LandedBranch[];
}

export interface LandedBranch {
  readonly task: TaskId;
  readonly token: Token;
  /** It took the task's work out. */
  readonly undoes: boolean;
  /** What was merged, where it had left integration, and how many paths it changed. */
  readonly head: CommitId;
  readonly base: CommitId;
  readonly changed: number;
  /** The merge that brought it and nothing else, and its tree. */
  readonly merge: CommitId;
  readonly tree: string;
}

/**
 * Steps of integration behind `from` (null: from its beginning), oldest first, and where integration is. Null: there is
 * no hub, or its integration does not contain `from`.
 */
export async function landingsSince(
  hub: string,
  from: CommitId | null,
): Promise<{ readonly tip: CommitId; readonly landings: readonly Landing[] } | null> {
  if (!isHub(hub)) return null;
  const repo: RepoPlace = { gitDir: hub, env: HUB_ENV };
  const tip = await readRef(repo, INTEGRATION);
  if (tip === null) return null;
  const known = from ?? (await readRef(repo, START));
  if (known !== null) {
    if ((await presentCommits(repo, [known])).length === 0) return null;
    if (!(await isAncestor(repo, known, tip))) return null;
  }
  const landings: Landing[] = [];
  for (const step of (await landedCommits(repo, known, tip, false)).toReversed()) {
    const [onto, top] = step.parents;
    if (onto !== undefined && top !== undefined) landings.push(await landingOf(repo, step, onto, top));
  }
  return { tip, landings };
}

async function landingOf(
  repo: RepoPlace,
  step: LandedCommit,
  onto: CommitId,
  top: CommitId,
): Promise<Landing> {
  const stack = await landedCommits(repo, onto, top, false);
  const brings: LandedBranch[] = [];
  for (const { task, token, undoes } of step.brings) {
    const within = stack.find((one) => one.brings.some((it) => it.token === token && it.undoes === undoes));
    const merge = within?.commit ?? step.commit;
    const head = within === undefined ? top : commitId(within.parents[1] ?? top);
    const base = (await mergeBases(repo, onto, head))[0] ?? onto;
    const changed = (await changedBetween(repo, base, head)).length;
    brings.push({ task, token, undoes, head, base, changed, merge, tree: await treeOf(repo, merge) });
  }
  return { commit: step.commit, onto, brings };
}
