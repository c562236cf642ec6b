/**
 * Finds out whether a branch of the user's repository is checked out, in its main working copy or in any other
 * worktree. Moving such a branch would make the files look modified, so it is never done. Nothing is written: not the
 * files, and not even the index, which git likes to refresh in passing.
 */
import { stat } from 'node:fs/promises';
import { git, GitError } from './run.ts';

export interface Checkout {
  /** The working copy's directory. */
  readonly path: string;
  /** Files that differ from what is committed, untracked ones included; null when git could not tell. */
  readonly changes: number | null;
}

/** Settings that let git look at a repository of the user's own choosing, wherever it lies and whoever owns it. */
const TRUSTED = ['-c', 'safe.directory=*', '-c', 'safe.bareRepository=all'];

/** Where the branch is checked out; empty when nowhere. Pruned worktrees whose directory is gone do not count. */
export async function checkoutsOf(repository: string, branch: string): Promise<Checkout[]> {
  // git takes `/srv/project` for `/srv/project.git`, too.
  const cwd = (await exists(repository)) ? repository : `${repository}.git`;
  const { stdout } = await git([...TRUSTED, 'worktree', 'list', '--porcelain', '-z'], { cwd });
  const checkouts: Checkout[] = [];
  for (const block of stdout.toString('utf8').split('\0\0')) {
    const lines = block.split('\0');
    const path = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    if (path === undefined || lines.includes('bare') || !lines.includes(`branch refs/heads/${branch}`))
      continue;
    if (!(await exists(path))) continue;
    checkouts.push({ path, changes: await countChanges(path) });
  }
  return checkouts;
}

async function countChanges(path: string): Promise<number | null> {
  try {
    const { stdout } = await git(
      [...TRUSTED, 'status', '--porcelain', '-z', '--no-renames', '--ignore-submodules=all'],
      { cwd: path },
    );
    return stdout.toString('latin1').split('\0').length - 1;
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
