/** Reads files and names out of a commit, without a working tree. */
import { type CommitId, isCommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

/** Which of the ids are commits that the repository has, in the order given. */
export async function presentCommits(repo: RepoPlace, commits: readonly CommitId[]): Promise<CommitId[]> {
  if (commits.length === 0) return [];
  const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    ...repo,
    input: `${commits.join('\n')}\n`,
  });
  const present = new Set<string>();
  for (const line of stdout.toString('latin1').split('\n')) {
    const [id = '', type] = line.split(' ');
    if (type === 'commit') present.add(id);
  }
  return commits.filter((commit) => present.has(commit));
}

/** Content of a regular file at a commit; null when the path is something else or nothing. */
export async function readFile(repo: RepoPlace, commit: CommitId, path: string): Promise<Buffer | null> {
  const id = await fileId(repo, commit, path);
  return id === null ? null : (await git(['cat-file', 'blob', id], repo)).stdout;
}

/** Id of the content of a regular file at a commit; null when the path is something else or nothing. */
export async function fileId(repo: RepoPlace, commit: CommitId, path: string): Promise<string | null> {
  const { stdout } = await git(['ls-tree', '-z', '--full-tree', '--end-of-options', commit, '--', path], {
    gitDir: repo.gitDir,
    env: { ...repo.env, GIT_LITERAL_PATHSPECS: '1' },
  });
  for (const entry of splitZ(stdout)) {
    const tab = entry.indexOf('\t');
    const [mode, , id] = entry.toString('latin1', 0, tab).split(' ');
    const regular = mode === '100644' || mode === '100755';
    if (!regular || !isCommitId(id) || decodePath(entry.subarray(tab + 1)) !== path) continue;
    return id;
  }
  return null;
}

/** Every path of a commit's tree, in git's order. */
export async function listPaths(repo: RepoPlace, commit: CommitId): Promise<string[]> {
  const { stdout } = await git(
    ['ls-tree', '-r', '-z', '--name-only', '--full-tree', '--end-of-options', commit],
    { ...repo, maxBytes: 256 * 1024 * 1024 },
  );
  return splitZ(stdout).map(decodePath);
}
