/**
 * What a merge changed, line by line with its numbers, for somebody who reads it. One run of git for each file: inside
 * the patch of one file nothing that the file contains can pass for the beginning of another.
 */
import pLimit from 'p-limit';
import type { CommitId } from '../model/ids.ts';
import type { DiffLine, FileDiff } from '../review/diff.ts';
import { readChanged } from './facts.ts';
import type { RepoPlace } from './repo-place.ts';
import { git, GitError } from './run.ts';

/** Files that are read; more is not a change that anybody reviews. */
const MOST_FILES = 300;
/** Bytes of one file's patch. */
const LARGEST_PATCH = 2 * 1024 * 1024;
const AT_ONCE = 4;
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** In the order of git. Files without text, or too large, have a reason instead of lines. */
export async function readDiff(repo: RepoPlace, from: CommitId, to: CommitId): Promise<FileDiff[]> {
  const changed = await readChanged(repo, from, to);
  const limit = pLimit(AT_ONCE);
  return await Promise.all(
    changed.map(({ path, oldMode, newMode }, index) =>
      limit(async (): Promise<FileDiff> => {
        const unread = (why: string): FileDiff => ({ path, lines: [], unread: why });
        if (index >= MOST_FILES) return unread(`the merge changes more than ${MOST_FILES} files`);
        if ([oldMode, newMode].includes('160000')) return unread('it is a submodule');
        const patch = await readPatch(repo, from, to, path);
        if (patch === null) return unread('its diff is too large');
        if (patch.includes(0)) return unread('it is not text');
        return { path, lines: linesOf(patch.toString('utf8')), unread: null };
      }),
    ),
  );
}

async function readPatch(
  repo: RepoPlace,
  from: CommitId,
  to: CommitId,
  path: string,
): Promise<Buffer | null> {
  const how = [
    'diff-tree',
    '-r',
    '-p',
    '-U6',
    '-a',
    '--no-renames',
    '--no-color',
    '--no-textconv',
    '--no-ext-diff',
  ];
  try {
    const range = ['--end-of-options', from, to, '--', `:(top,literal)${path}`];
    return (await git([...how, ...range], { ...repo, maxBytes: LARGEST_PATCH })).stdout;
  } catch (error) {
    if (error instanceof GitError && error.why === 'too-much-output') return null;
    throw error;
  }
}

/** Hunks say how many lines follow, so content is never read as a header. */
function linesOf(patch: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let [before, beforeLeft, after, afterLeft] = [0, 0, 0, 0];
  for (const raw of patch.split('\n')) {
    const kind = raw[0];
    const text = raw.slice(1).replace(/\r$/, '');
    if (beforeLeft > 0 && kind === '-') {
      lines.push({ kind, line: before++, text });
      beforeLeft--;
    } else if (afterLeft > 0 && kind === '+') {
      lines.push({ kind, line: after++, text });
      afterLeft--;
    } else if (beforeLeft > 0 && afterLeft > 0 && kind === ' ') {
      lines.push({ kind: '=', line: after++, text });
      before++;
      beforeLeft--;
      afterLeft--;
    } else {
      const [, from = '0', some = '1', to = '0', more = '1'] = HUNK.exec(raw) ?? [];
      if (!raw.startsWith('@@')) continue;
      [before, beforeLeft, after, afterLeft] = [Number(from), Number(some), Number(to), Number(more)];
    }
  }
  return lines;
}
