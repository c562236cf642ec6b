/**
 * A node's bare mirror of a project: the commits that the controller has sent, each held by `refs/base/<commit>`. It is
 * never collected as garbage, because trees borrow its objects.
 */
import { existsSync } from 'node:fs';
import type { CommitId } from '../model/ids.ts';
import { openBundle } from './bundle.ts';
import { git } from './run.ts';
import { retryingStaleLock } from './stale-lock.ts';
import { makeRepository } from './tree.ts';

/** Which of the commits the mirror has, in the order given. */
export async function mirrorHas(mirror: string, commits: readonly CommitId[]): Promise<CommitId[]> {
  if (!existsSync(`${mirror}/HEAD`)) return [];
  const unknown = commits.filter((commit) => !isBase(mirror, commit));
  const reached = new Set<string>();
  if (unknown.length > 0) {
    const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
      gitDir: mirror,
      input: `${unknown.join('\n')}\n`,
    });
    for (const line of stdout.toString('latin1').split('\n'))
      if (line.endsWith(' commit')) reached.add(line.slice(0, -7));
  }
  return commits.filter((commit) => reached.has(commit) || isBase(mirror, commit));
}

/** True for a commit that was sent as such, without asking git. */
export function isBase(mirror: string, commit: CommitId): boolean {
  return existsSync(`${mirror}/refs/base/${commit}`);
}

/**
 * Takes a bundle in: every object is checked, everything the commits reach must be there, and then each gets its ref.
 * Not to be called twice at once for a mirror.
 * @throws GitError or SyntaxError when the bundle is broken or incomplete; no ref has been made then.
 */
export async function mirrorPut(mirror: string, file: string, commits: readonly CommitId[]): Promise<void> {
  const [first] = commits;
  if (first === undefined) return;
  if (!existsSync(`${mirror}/HEAD`))
    makeRepository(mirror, first, '[core]\n\tbare = true\n', 'refs/heads/none');
  const bundle = await openBundle(file);
  try {
    await git(['index-pack', '--stdin', '--fix-thin', '--strict'], { gitDir: mirror, input: bundle.pack() });
  } finally {
    await bundle.close();
  }
  await git(['rev-list', '--objects', '--quiet', ...commits, '--not', '--all'], {
    gitDir: mirror,
  });
  const input = commits.map((commit) => `update refs/base/${commit} ${commit}\n`).join('');
  await retryingStaleLock(mirror, () => git(['update-ref', '--stdin'], { gitDir: mirror, input }));
}

/** The commits that a repository holds, out of those asked for. */
export async function commitsHeld(gitDir: string, commits: readonly CommitId[]): Promise<CommitId[]> {
  if (commits.length === 0) return [];
  const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    gitDir,
    input: `${commits.join('\n')}\n`,
  });
  const held = new Set(
    stdout
      .toString('latin1')
      .split('\n')
      .filter((line) => line.endsWith(' commit'))
      .map((line) => line.slice(0, -7)),
  );
  return commits.filter((commit) => held.has(commit));
}
