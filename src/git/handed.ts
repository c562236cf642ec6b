/** A branch in a person's hands: out of the hub into a checkout of their own, and back. */
import { type CommitId, isCommitId, type Token } from '../model/ids.ts';
import { HUB_ENV } from './hub-dir.ts';
import { candidateRef, INTEGRATION, moveRef } from './refs.ts';
import { git, GitError } from './run.ts';

/** In the checkout: integration as it was when the work was taken. */
const SEEN = 'refs/remotes/dispatch/integration';

/**
 * Makes a repository at `dir`, which must be free, with the attempt's work checked out on `branch`.
 * @throws GitError when the hub does not have it (any more).
 */
export async function checkOutWork(hub: string, dir: string, branch: string, token: Token): Promise<void> {
  await git(['init', '-q', '--template=', '-b', branch, '--end-of-options', dir]);
  const gitDir = `${dir}/.git`;
  const refs = [`+${candidateRef(token)}:refs/heads/work`, `+${INTEGRATION}:${SEEN}`];
  await git(['fetch', '-q', '--no-tags', '--no-write-fetch-head', '--end-of-options', hub, ...refs], {
    gitDir,
    protocols: ['file'],
  });
  await git(['reset', '-q', '--hard', 'refs/heads/work'], { gitDir, workTree: dir, cwd: dir });
  await git(['update-ref', '-d', 'refs/heads/work'], { gitDir });
}

/** What is checked out at `dir`, as a commit of the hub that stays there; null: there is no repository, or no commit. */
export async function takeIn(hub: string, dir: string, token: Token): Promise<CommitId | null> {
  const head = await headOf(dir);
  if (head === null) return null;
  const fetch = ['-c', 'transfer.fsckObjects=true', 'fetch', '-q', '--no-tags', '--no-write-fetch-head'];
  const ref = `refs/handed/${token}`;
  const into = { gitDir: hub, env: HUB_ENV, protocols: ['file'] as const };
  await git([...fetch, '--end-of-options', dir, `+HEAD:${ref}`], into);
  await moveRef({ gitDir: hub, env: HUB_ENV }, ref, head, null);
  return head;
}

/** What is not committed at `dir`, in git's own short form; empty: nothing. */
export async function uncommitted(dir: string): Promise<string> {
  const { stdout } = await git(['status', '--porcelain'], { gitDir: `${dir}/.git`, workTree: dir, cwd: dir });
  return stdout.toString('utf8').trim();
}

async function headOf(dir: string): Promise<CommitId | null> {
  try {
    const { stdout } = await git(['rev-parse', '--verify', '-q', 'HEAD^{commit}'], { gitDir: `${dir}/.git` });
    const id = stdout.toString('latin1').trim();
    return isCommitId(id) ? id : null;
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}
