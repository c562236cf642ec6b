/** Names in the hub, and the one way in which they move: by compare-and-swap on the old value. */
import { type CommitId, isCommitId, type ProjectName, type Token } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { git, GitError } from './run.ts';

export const INTEGRATION = 'refs/heads/integration';
export const TARGET = 'refs/dispatch/target';
export const START = 'refs/dispatch/start';
/** Another one voids the landings that were begun before; see fence.ts. */
export const FENCE = 'refs/dispatch/fence';
/** The newest integration. */
export const LANDED = 'refs/dispatch/landed';

/** The newest tip of the target that was seen, or put there. */
export function seenRef(branch: string): string {
  return `refs/dispatch/seen/${branch}`;
}

export function candidateRef(token: Token): string {
  return `refs/cand/${token}`;
}

/** Keeps the reverse of what an attempt landed. */
export function reverseRef(token: Token): string {
  return `refs/undo/${token}`;
}

/** In the user's repository: where a result is put that cannot be put on the target. */
export function resultRef(project: ProjectName): string {
  // A name may end with a dot, a ref may not.
  return `refs/dispatch/${project.replace(/\.$/, '_')}`;
}

/** The commit that a ref points to; null when there is no such ref. */
export async function readRef(repo: RepoPlace, ref: string): Promise<CommitId | null> {
  const { stdout } = await git(['rev-parse', '--verify', '-q', '--end-of-options', ref], {
    ...repo,
    okCodes: [0, 1],
  });
  // With --end-of-options some versions of git print that option, too.
  const id = stdout.toString('latin1').trim().split('\n').at(-1);
  return isCommitId(id) ? id : null;
}

/**
 * Moves a ref to `to` if it is at `from`; null: wherever it is; `absent`: if it does not exist.
 * @returns false when it is somewhere else; then nothing happened.
 */
export async function moveRef(
  repo: RepoPlace,
  ref: string,
  to: CommitId,
  from: CommitId | null | 'absent',
): Promise<boolean> {
  const old = from === 'absent' ? '0'.repeat(to.length) : from;
  try {
    await git(['update-ref', '-m', 'dispatch', ref, to, ...(old === null ? [] : [old])], repo);
    return true;
  } catch (error) {
    if (!(error instanceof GitError) || error.why !== 'exit' || from === null) throw error;
    const now = await readRef(repo, ref);
    if (now === (from === 'absent' ? null : from)) throw error;
    return false;
  }
}

/**
 * Moves a ref from `from` to `to` if `held` still is where it was (null: absent), in one transaction.
 * @returns false when one of them is somewhere else; then nothing happened.
 */
export async function moveRefWhile(
  repo: RepoPlace,
  { ref, from, to }: { readonly ref: string; readonly from: CommitId; readonly to: CommitId },
  held: { readonly ref: string; readonly at: CommitId | null },
): Promise<boolean> {
  const at = held.at ?? '0'.repeat(to.length);
  const input = `update ${ref} ${to} ${from}\nverify ${held.ref} ${at}\n`;
  try {
    await git(['update-ref', '-m', 'dispatch', '--stdin'], { ...repo, input });
    return true;
  } catch (error) {
    if (!(error instanceof GitError) || error.why !== 'exit') throw error;
    if ((await readRef(repo, ref)) === from && (await readRef(repo, held.ref)) === held.at) throw error;
    return false;
  }
}

/** True when `ancestor` is in the history of `commit`, or is it. @throws GitError when one of them is missing. */
export async function isAncestor(repo: RepoPlace, ancestor: CommitId, commit: CommitId): Promise<boolean> {
  const { code } = await git(['merge-base', '--is-ancestor', '--end-of-options', ancestor, commit], {
    ...repo,
    okCodes: [0, 1],
  });
  return code === 0;
}
