/** A commit's tree without some of its files, and what one commit changed of another. */
import { rm } from 'node:fs/promises';
import type { CommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { commitTree } from './merge-tree.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

/** A tree of a large repository is listed and written whole. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Every path that is not the same in both; a rename is two of them. */
export async function changedBetween(repo: RepoPlace, from: CommitId, to: CommitId): Promise<string[]> {
  const { stdout } = await git(
    ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--end-of-options', from, to],
    { ...repo, maxBytes: MOST_BYTES },
  );
  return splitZ(stdout).map(decodePath);
}

/**
 * For each name the commit whose tree holds the paths of `commit` that `sees` lets through, modes and content as they
 * are. Its parent is `commit`, so that a node which has that needs next to nothing; a gate's checkout has no history.
 * No branch points to it.
 * @param indexFile a path for a temporary file.
 */
export async function projectTrees(
  repo: RepoPlace,
  commit: CommitId,
  names: readonly string[],
  { sees, indexFile }: { readonly sees: (name: string, path: string) => boolean; readonly indexFile: string },
): Promise<{ readonly name: string; readonly commit: CommitId; readonly tree: string }[]> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', commit], {
    ...repo,
    maxBytes: MOST_BYTES,
  });
  const entries = splitZ(stdout).map((entry) => {
    const tab = entry.indexOf('\t');
    const [mode = '', , id = ''] = entry.toString('latin1', 0, tab).split(' ');
    const name = entry.subarray(tab + 1);
    return { path: decodePath(name), line: [Buffer.from(`${mode} ${id}\t`), name, ZERO] };
  });
  const projected = [];
  for (const name of names) {
    const lines = entries.filter(({ path }) => sees(name, path)).flatMap(({ line }) => line);
    const tree = await writeTree(repo, Buffer.concat(lines), indexFile);
    const made = await commitTree(repo, tree, [commit], `What ${name} may see of ${commit}\n`);
    projected.push({ name, commit: made, tree });
  }
  return projected;
}

const ZERO = Buffer.from([0]);

async function writeTree(repo: RepoPlace, entries: Buffer, indexFile: string): Promise<string> {
  await rm(indexFile, { force: true });
  try {
    await git(['update-index', '-z', '--index-info'], { ...repo, indexFile, input: entries });
    const { stdout } = await git(['write-tree'], { ...repo, indexFile });
    return stdout.toString('latin1').trim();
  } finally {
    await rm(indexFile, { force: true });
  }
}
