import type { RepoPlace } from './facts.ts';
import { git } from './run.ts';

/** git knows the empty content by its id without having it. */
const EMPTY = {
  sha1: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391',
  sha256: '473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813',
} as const;

/** What changed from one content to another, as a unified diff without its header; null stands for no file. */
export async function blobDiff(repo: RepoPlace, from: string | null, to: string | null): Promise<string> {
  const empty = (from ?? to)?.length === 64 ? EMPTY.sha256 : EMPTY.sha1;
  const { stdout } = await git(
    ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--text', from ?? empty, to ?? empty],
    repo,
  );
  const text = stdout.toString('utf8');
  const hunk = text.indexOf('\n@@ ');
  return hunk < 0 ? '' : text.slice(hunk + 1);
}
