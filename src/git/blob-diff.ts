import type { RepoPlace } from './repo-place.ts';
import { git } from './run.ts';

/** What changed from one content to another, as a unified diff without its header; null stands for no file. */
export async function blobDiff(repo: RepoPlace, from: string | null, to: string | null): Promise<string> {
  if (from === null) return to === null ? '' : await oneSided(repo, to, '+');
  if (to === null) return await oneSided(repo, from, '-');
  const { stdout } = await git(
    ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--text', from, to],
    repo,
  );
  const text = stdout.toString('utf8');
  const hunk = text.indexOf('\n@@ ');
  return hunk < 0 ? '' : text.slice(hunk + 1);
}

/** git compares nothing with no content: not every version knows the empty one without having it. */
async function oneSided(repo: RepoPlace, id: string, sign: '+' | '-'): Promise<string> {
  const { stdout } = await git(['cat-file', 'blob', id], repo);
  const lines = stdout.toString('utf8').replace(/\n$/u, '').split('\n');
  const range = `1,${lines.length}`;
  const head = sign === '+' ? `@@ -0,0 +${range} @@` : `@@ -${range} +0,0 @@`;
  return `${[head, ...lines.map((line) => `${sign}${line}`)].join('\n')}\n`;
}
