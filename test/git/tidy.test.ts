import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { git } from '../../src/git/run.ts';
import { litterOf } from '../../src/git/tidy.ts';
import { taskId } from '../../src/model/ids.ts';
import { candidate, newToken, world } from './hub-fixture.ts';

/** Every object there is, whatever refers to it. */
async function objects(gitDir: string): Promise<string[]> {
  const { stdout } = await git(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], {
    gitDir,
  });
  return stdout.toString().trim().split('\n').sort();
}

test('a hub is tidied when there is enough to do, and nothing is lost: not even what no ref knows', async () => {
  const w = await world();
  const gitDir = w.hub.place.dir;
  const branch = await candidate(w, w.base, { 'b.txt': 'B\n' });
  // As on the stack: merged, being judged, and on no branch yet.
  const label = { task: taskId('S01'), token: newToken(), title: 'Do S01' };
  const stacked = await w.hub.merge(w.base, branch.head, label);
  if (!stacked.clean) throw new Error('it did not merge');
  const before = await objects(gitDir);
  await w.hub.tidy(new AbortController().signal);
  expect((await litterOf({ gitDir })).loose, 'too little to do').toBeGreaterThan(0);

  const files = Array.from({ length: 25 }, (_, i) => join(w.root, `blob-${i}`));
  await Promise.all(files.map((file, i) => writeFile(file, `blob ${i}\n`)));
  const input = `${files.join('\n')}\n`;
  const { stdout } = await git(['hash-object', '-w', '--stdin-paths'], { gitDir, input });
  const blobs = stdout.toString().trim().split('\n');
  const pack = join(gitDir, 'objects', 'pack', 'pack');
  for (const blob of blobs) await git(['pack-objects', '-q', pack], { gitDir, input: `${blob}\n` });
  const all = await objects(gitDir);
  expect(all.length).toBe(before.length + blobs.length);

  // Ended half way, and then done.
  const stop = new AbortController();
  const ended = w.hub.tidy(stop.signal);
  stop.abort();
  await expect(ended).rejects.toThrow('repack');
  expect(await objects(gitDir)).toEqual(all);
  await w.hub.tidy(new AbortController().signal);
  expect(await litterOf({ gitDir })).toMatchObject({ loose: 0, packs: 1 });
  expect(await objects(gitDir)).toEqual(all);
  expect(await readFile(join(gitDir, 'packed-refs'), 'utf8')).toContain(`refs/cand/${branch.token}`);
  expect(await w.hub.has([branch.head, stacked.commit])).toEqual([branch.head, stacked.commit]);

  // It goes on as before: the merge lands, and the next branch is taken in.
  expect(await w.hub.land(w.base, stacked.commit)).toBeTruthy();
  expect(await w.hub.integration()).toBe(stacked.commit);
  await candidate(w, stacked.commit, { 'n.txt': 'n\n' });
  await git(['rev-list', '--quiet', '--objects', '--all'], { gitDir });
});
