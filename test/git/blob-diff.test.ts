import { expect, test } from 'vitest';
import { blobDiff } from '../../src/git/blob-diff.ts';
import { fileId } from '../../src/git/tree-read.ts';
import { Repo } from './repo.ts';

test('a file is known by the id of its content, and two contents are told apart line by line, also where there is none', async () => {
  const repo = await Repo.create();
  const one = await repo.commit({ 'C.md': 'a\nb\n' });
  const two = await repo.commit({ 'C.md': 'a\n\u001bc\n', other: 'x' });
  const three = await repo.commit({ 'C.md': null });
  const ids = await Promise.all([one, two, three].map((commit) => fileId(repo, commit, 'C.md')));
  expect(ids).toEqual([await repo.git('rev-parse', `${one}:C.md`), expect.any(String), null]);
  const [first = null, second = null] = ids;
  expect(await blobDiff(repo, first, second)).toBe('@@ -1,2 +1,2 @@\n a\n-b\n+\u001bc\n');
  expect(await blobDiff(repo, null, first)).toBe('@@ -0,0 +1,2 @@\n+a\n+b\n');
  expect(await blobDiff(repo, first, null)).toBe('@@ -1,2 +0,0 @@\n-a\n-b\n');
  expect(await blobDiff(repo, first, first)).toBe('');
});
