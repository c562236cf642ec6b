/**
 * Merges without a working tree. `git merge-tree --write-tree` answers 0 for a clean merge and 1 for a conflict; any
 * other exit code is a failure of git and never read as a conflict.
 */
import { type CommitId, isCommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { decodePath, splitZ } from './paths.ts';
import { git, GitError, type GitOptions } from './run.ts';

export type MergedTree =
  | { readonly clean: true; readonly tree: string }
  | { readonly clean: false; readonly paths: readonly string[] };

/**
 * The tree of both commits together, or the paths that conflict.
 * @param renames `ignore` is a wish: before 2.50 git follows renames in any case.
 */
export async function mergeTree(
  repo: RepoPlace,
  onto: CommitId,
  head: CommitId,
  renames: 'follow' | 'ignore',
): Promise<MergedTree> {
  const settings = ['-c', `merge.renames=${renames === 'follow'}`];
  const flags = ['--write-tree', '-z', '--name-only', '--no-messages', '--end-of-options'];
  const args = [...settings, 'merge-tree', ...flags, onto, head];
  const { code, stdout } = await git(args, { ...repo, okCodes: [0, 1] });
  const [tree, ...names] = splitZ(stdout);
  const id = tree?.toString('latin1') ?? '';
  if (!isCommitId(id)) throw new GitError(args, 'exit', code, 'it named no tree');
  if (code === 0) return { clean: true, tree: id };
  const paths = names.map((name) => withoutSide(decodePath(name), [onto, head]));
  return { clean: false, paths: [...new Set(paths)] };
}

/** A file in the way of a directory is named `<path>~<side>` in a merge; the path is what both sides know. */
function withoutSide(name: string, sides: readonly string[]): string {
  for (const side of sides) {
    const at = name.lastIndexOf(`~${side}`);
    if (at > 0 && /^(?:_\d+)?$/.test(name.slice(at + 1 + side.length))) return name.slice(0, at);
  }
  return name;
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
  const { stdout } = await git(['rev-parse', '--verify', `${commit}^{tree}`], repo);
  return stdout.toString('latin1').trim();
}

/** @throws GitError when the commit is missing or has no parent. */
export async function firstParent(repo: RepoPlace, commit: CommitId): Promise<CommitId> {
  return await namedCommit(['rev-parse', '--verify', `${commit}^1`], repo);
}

/** @throws GitError when git has no identity in its environment, or an object is missing. */
export async function commitTree(
  repo: RepoPlace,
  tree: string,
  parents: readonly CommitId[],
  message: string,
): Promise<CommitId> {
  const args = ['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), tree];
  return await namedCommit(args, { ...repo, input: message });
}

/** git takes no notice when its answer cannot be written to a pipe: one that names no commit is none. */
async function namedCommit(args: readonly string[], options: GitOptions): Promise<CommitId> {
  const { stdout, code } = await git(args, options);
  const said = stdout.toString('latin1').trim();
  if (!isCommitId(said)) throw new GitError(args, 'exit', code, 'it named no commit');
  return said;
}
