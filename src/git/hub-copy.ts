/** A hub's own part of the history, out of it and back: what it holds and the target branch does not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import { type CommitId, isCommitId } from '../model/ids.ts';
import { believedGit } from './believed.ts';
import { openBundle, writeBundle } from './bundle.ts';
import { foundNoRoom, roomError } from './no-room.ts';
import type { RepoPlace } from './repo-place.ts';
import { createHub, HUB_ENV, isHub } from './hub-dir.ts';
import { moveRef, TARGET } from './refs.ts';
import { git, GitError } from './run.ts';
import { presentCommits } from './tree-read.ts';
import { Upstream } from './upstream.ts';

export interface HubCopy {
  /** What the bundle stands on. */
  readonly target: CommitId | null;
  readonly refs: Readonly<Record<string, CommitId>>;
}

/** Writes the bundle, and returns all names of the hub; null for a directory that is no hub. */
export async function bundleHub(dir: string, file: string): Promise<HubCopy | null> {
  if (!isHub(dir)) return null;
  const repo: RepoPlace = { gitDir: dir, env: HUB_ENV };
  const refs = await refsOf(repo);
  const target = refs[TARGET] ?? null;
  await writeBundle(repo, file, [...new Set(Object.values(refs))], target === null ? [] : [target]);
  return { target, refs };
}

/** All names of a repository and the commits they stand for. */
export async function refsOf(repo: RepoPlace): Promise<Record<string, CommitId>> {
  const { stdout } = await git(['for-each-ref', '--format=%(objectname) %(refname)'], repo);
  const refs: Record<string, CommitId> = {};
  for (const line of stdout.toString('utf8').split('\n')) {
    const [id = '', ref] = line.split(' ');
    if (ref !== undefined && isCommitId(id)) refs[ref] = id;
  }
  return refs;
}

export interface HubHome {
  readonly dir: string;
  /** The user's repository. */
  readonly repo: string;
  readonly target: string;
}

/**
 * Brings a copy back. A hub that is there keeps every name where it is, because its history knows more than the copy, and
 * gets those that it has lost; one that is missing is made anew, with the target fetched from the user's repository.
 * @returns the names that came back. @throws DispatchError E_BACKUP_BAD, or as Upstream.
 */
export async function restoreHub(home: HubHome, copy: HubCopy, bundle: string): Promise<string[]> {
  const { dir } = home;
  const like = Object.values(copy.refs)[0];
  if (like === undefined) return [];
  if (!isHub(dir)) await createHub(dir, like.length === 64 ? 'sha256' : 'sha1');
  const repo: RepoPlace = { gitDir: dir, env: HUB_ENV };
  const lost = await lostRefs(repo, copy);
  if (lost.length === 0) return [];
  await takeIn(repo, home, copy, bundle);
  for (const [ref, commit] of lost) await moveRef(repo, ref, commit, 'absent');
  return lost.map(([ref]) => ref);
}

async function lostRefs(repo: RepoPlace, { refs }: HubCopy): Promise<[string, CommitId][]> {
  const there = await refsOf(repo);
  return Object.entries(refs).filter(([ref]) => there[ref] === undefined);
}

async function takeIn(repo: RepoPlace, home: HubHome, copy: HubCopy, bundle: string): Promise<void> {
  if (copy.target !== null && (await presentCommits(repo, [copy.target])).length === 0) {
    const upstream = new Upstream(home.repo, join(home.dir, 'remote.config'));
    await upstream.fetch(repo, home.target, TARGET);
  }
  if (!existsSync(bundle)) throw bad(home, 'the backup has no bundle of it');
  const opened = await openBundle(bundle);
  try {
    const args = ['index-pack', '--stdin', '--fix-thin', '--strict'];
    const { code, stderr } = await believedGit(args, () => ({ ...repo, input: opened.pack() }));
    if (code === 0) return;
    const error = new GitError(args, 'exit', code, stderr);
    if (foundNoRoom(error, home.dir)) throw roomError(error, home.dir);
    throw bad(home, `${error.message}: does ${home.target} still contain ${copy.target ?? 'its base'}?`);
  } finally {
    await opened.close();
  }
}

function bad({ dir }: HubHome, why: string): DispatchError {
  return new DispatchError('E_BACKUP_BAD', 'the hub cannot be brought back', { where: dir, why });
}
