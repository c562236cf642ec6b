/**
 * Merges without a working tree. `git merge-tree --write-tree` answers 0 for a clean merge and 1 for a conflict; any
 * other exit code is a failure of git and never read as a conflict.
 *
 * Renames are not followed when a task's branch is merged. Following them, git may put a change into another file than
 * the branch changed, outside of what its task may touch; not following them, such a case is a conflict and goes back
 * to the agent. It also makes the result exactly predictable, which is checked after each merge: a path that only the
 * branch changed must be as the branch has it, and a path that the branch did not change must be as it was. (A merge
 * queue elsewhere took a wrong merge base and silently undid two thousand merged changes while all checks were green.)
 */
import type { ChangedPath } from '../gates/facts.ts';
import { DispatchError } from '../model/error.ts';
import { type CommitId, commitId, isCommitId } from '../model/ids.ts';
import { readChanged, type RepoPlace } from './facts.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

export type MergedTree =
  | { readonly clean: true; readonly tree: string }
  | { readonly clean: false; readonly paths: readonly string[] };

/** The tree of both commits together, or the paths that conflict. */
export async function mergeTree(
  repo: RepoPlace,
  onto: CommitId,
  head: CommitId,
  renames: 'follow' | 'ignore',
): Promise<MergedTree> {
  const { code, stdout } = await git(
    [
      '-c',
      `merge.renames=${renames === 'follow'}`,
      'merge-tree',
      '--write-tree',
      '-z',
      '--name-only',
      '--no-messages',
      '--end-of-options',
      onto,
      head,
    ],
    { ...repo, okCodes: [0, 1] },
  );
  const [tree, ...paths] = splitZ(stdout);
  const id = tree?.toString('latin1') ?? '';
  if (!isCommitId(id)) throw new Error(`git merge-tree named no tree: ${JSON.stringify(id)}`);
  if (code === 1) return { clean: false, paths: paths.map(decodePath) };
  return { clean: true, tree: id };
}

/** The commits that both histories have and that nothing newer in both has; several after criss-cross merges. */
export async function mergeBases(repo: RepoPlace, a: CommitId, b: CommitId): Promise<CommitId[]> {
  const { stdout } = await git(['merge-base', '--all', '--end-of-options', a, b], {
    ...repo,
    okCodes: [0, 1],
  });
  return stdout.toString('latin1').split('\n').filter(isCommitId);
}

export async function treeOf(repo: RepoPlace, commit: CommitId): Promise<string> {
  const { stdout } = await git(['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`], repo);
  return stdout.toString('latin1').trim();
}

/** @throws GitError when git has no identity in its environment, or an object is missing. */
export async function commitTree(
  repo: RepoPlace,
  tree: string,
  parents: readonly CommitId[],
  message: string,
): Promise<CommitId> {
  const { stdout } = await git(['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), tree], {
    ...repo,
    input: message,
  });
  return commitId(stdout.toString('latin1').trim());
}

/**
 * Checks a merge that did not follow renames.
 * @throws DispatchError E_MERGE_UNSOUND naming a path that is not as it must be.
 */
export async function assertSound(
  repo: RepoPlace,
  bases: readonly CommitId[],
  onto: CommitId,
  head: CommitId,
  tree: string,
): Promise<void> {
  const merged = byPath(await readChanged(repo, onto, tree));
  const [base, ...more] = bases;
  if (base === undefined)
    throw unsound('the branch shares no history with what it is merged onto', onto, head);
  const branch = byPath(await readChanged(repo, base, head));
  for (const other of more)
    for (const entry of await readChanged(repo, other, head)) branch.set(entry.path, entry);
  for (const path of merged.keys()) {
    if (!branch.has(path)) throw unsound(`${path} changes, which the branch did not change`, onto, head);
  }
  // After criss-cross merges no single base says what each side did.
  if (more.length > 0) return;
  const ours = byPath(await readChanged(repo, base, onto));
  for (const [path, theirs] of branch) {
    const result = merged.get(path);
    if (ours.has(path)) continue;
    if (result?.newId !== theirs.newId || result.newMode !== theirs.newMode) {
      throw unsound(`${path} is not as the branch has it, although nobody else changed it`, onto, head);
    }
  }
}

function byPath(changed: readonly ChangedPath[]): Map<string, ChangedPath> {
  return new Map(changed.map((entry) => [entry.path, entry]));
}

function unsound(why: string, onto: CommitId, head: CommitId): DispatchError {
  return new DispatchError(
    'E_MERGE_UNSOUND',
    `the merge of ${head.slice(0, 12)} onto ${onto.slice(0, 12)} is wrong`,
    {
      why,
    },
  );
}
