/** Branches of a hub that have not merged, and the way of any commit back into the user's repository. */
import { join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import { type CommitId, isCommitId, type Token } from '../model/ids.ts';
import { admitBundle } from './admit.ts';
import type { RepoPlace } from './repo-place.ts';
import { HUB_ENV, isHub } from './hub-dir.ts';
import type { HubHome } from './hub-copy.ts';
import { INTEGRATION, moveRef, readRef, TARGET } from './refs.ts';
import { believedGit } from './believed.ts';
import { git } from './run.ts';
import { presentCommits } from './tree-read.ts';
import { Upstream } from './upstream.ts';

export interface UnmergedRef {
  readonly ref: string;
  readonly commit: CommitId;
}

/** Keeps what a person took from a node: files as they were, or a result of an attempt that the store does not know. */
function rescuedRef(token: Token): string {
  return `refs/rescued/${token}`;
}

/** Everything in the hub that neither integration nor the target contains. Empty where there is no hub. */
export async function unmergedIn(dir: string): Promise<UnmergedRef[]> {
  if (!isHub(dir)) return [];
  const repo = place(dir);
  const merged: string[] = [];
  for (const ref of [INTEGRATION, TARGET])
    if ((await readRef(repo, ref)) !== null) merged.push(`--no-merged=${ref}`);
  const { stdout } = await git(
    [
      'for-each-ref',
      ...merged,
      '--format=%(objectname) %(refname)',
      'refs/cand',
      'refs/undo',
      'refs/rescued',
    ],
    repo,
  );
  return stdout
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [commit = '', ref] = line.split(' ');
      return ref !== undefined && isCommitId(commit) ? [{ ref, commit }] : [];
    });
}

/** The commit that the hub knows by this name, whole or the beginning of its id; null when there is none. */
export async function commitIn(dir: string, name: string): Promise<CommitId | null> {
  if (!isHub(dir) || !/^[A-Za-z0-9][A-Za-z0-9._/-]*$/u.test(name)) return null;
  const { stdout } = await believedGit(
    ['rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`],
    {
      ...place(dir),
      okCodes: [0, 1],
    },
  );
  const id = stdout.toString('latin1').trim().split('\n').at(-1);
  return isCommitId(id) ? id : null;
}

/** Takes a bundle of a node's work in, checked object by object, under a name that nothing else uses. @throws as admitBundle. */
export async function takeRescued(
  dir: string,
  { file, token, head, base }: { file: string; token: Token; head: CommitId; base: CommitId },
): Promise<void> {
  if ((await presentCommits(place(dir), [base])).length === 0)
    throw new DispatchError(
      'E_HUB_BROKEN',
      `the hub does not have ${base.slice(0, 12)}, on which the work stands`,
      {
        where: dir,
        fix: 'bring the hub back first: dispatch restore <backup>',
      },
    );
  const quarantine = join(dir, 'quarantine', `rescue-${token}`);
  await admitBundle(place(dir), { file, quarantine, head, base });
  await moveRef(place(dir), rescuedRef(token), head, null);
}

/** @throws DispatchError E_USAGE for what git would not take as the name of a branch. */
export async function needBranchName(name: string): Promise<void> {
  const { code } = await git(['check-ref-format', `refs/heads/${name}`], { okCodes: [0, 1, 128, 129] });
  if (code === 0 && !name.startsWith('-')) return;
  throw new DispatchError('E_USAGE', `${JSON.stringify(name)} is no name for a branch`, {
    fix: '--as rescued/S03',
  });
}

/** Makes the commit a new branch of the user's repository. @throws DispatchError E_USAGE when there is one of that name. */
export async function bringBack({ dir, repo }: HubHome, commit: CommitId, branch: string): Promise<void> {
  const upstream = new Upstream(repo, join(dir, 'remote.config'));
  const result = await upstream.newBranch(place(dir), branch, commit);
  switch (result.kind) {
    case 'pushed':
      return;
    case 'raced':
    case 'checked-out':
      throw new DispatchError('E_USAGE', `${repo} has a branch ${branch} already`, {
        fix: '--as another name',
      });
    case 'refused':
      throw new DispatchError('E_REPO_FAILED', `${repo} did not take the branch ${branch}`, {
        why: result.words,
      });
  }
}

function place(dir: string): RepoPlace {
  return { gitDir: dir, env: HUB_ENV };
}
