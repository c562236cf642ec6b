/** A git that fails without a fault of what it was given: only what it says twice in the same words is believed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { bundleHub, restoreHub } from '../../src/git/hub-copy.ts';
import { mergeTree } from '../../src/git/merge-tree.ts';
import { git } from '../../src/git/run.ts';
import { readHead, snapshot } from '../../src/git/snapshot.ts';
import { checkoutCold, makeAgentRepository, makeBorrowing } from '../../src/git/tree.ts';
import { bundle, candidate, newToken, world } from './hub-fixture.ts';

/** Puts a program in front of git that lets calls of `sub` do their work and fail then: those whose number is `which`. */
function shaky(root: string, sub: string, which: string, words: string): () => number {
  const bin = join(root, `bin-${sub}`);
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  mkdirSync(bin);
  const text = `#!/bin/sh
case " $* " in *' ${sub} '*) ;; *) exec ${real} "$@" ;; esac
echo >>${bin}/failed
[ "$(wc -l <${bin}/failed)" ${which} ] || exec ${real} "$@"
${real} "$@" >/dev/null || exit
echo "fatal: ${words}" >&2
exit 128
`;
  writeFileSync(join(bin, 'git'), text, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  return () => readFileSync(join(bin, 'failed'), 'utf8').length;
}

test.each(['index-pack', 'rev-list', 'merge-base'])(
  'a branch whose %s did its work and was reported as failed is taken',
  async (sub) => {
    const w = await world();
    await w.node.branch('x', w.base);
    const head = await w.node.commit({ 'b.txt': 'B\n' });
    const file = await bundle(w.node, w.root, w.base);
    const token = newToken();
    const calls = shaky(w.root, sub, '-eq 1', 'it was done, and something broke then');
    await w.hub.importBundle(file, token, head, w.base);
    vi.unstubAllEnvs();
    expect(calls()).toBeGreaterThan(1);
    expect(await w.hub.keepIfPresent(token, head, w.base)).toBe(true);
  },
);

test('two steps that fail one after the other in the same words refuse no branch', async () => {
  const w = await world();
  await w.node.branch('x', w.base);
  const head = await w.node.commit({ 'b.txt': 'B\n' });
  const file = await bundle(w.node, w.root, w.base);
  const calls = [
    shaky(w.root, 'rev-list', '-eq 1', 'something broke'),
    shaky(w.root, 'index-pack', '-eq 2', 'something broke'),
  ];
  await expect(w.hub.importBundle(file, newToken(), head, w.base)).resolves.toBeUndefined();
  vi.unstubAllEnvs();
  expect(calls.map((count) => count())).toEqual([2, 3]);
});

test('a git that fails each time in other words refuses no branch: it is tried again later', async () => {
  const w = await world();
  await w.node.branch('x', w.base);
  const head = await w.node.commit({ 'b.txt': 'B\n' });
  const file = await bundle(w.node, w.root, w.base);
  const token = newToken();
  shaky(w.root, 'index-pack', '-le 3', 'something broke in $$');
  await expect(w.hub.importBundle(file, token, head, w.base)).rejects.toMatchObject({ name: 'GitError' });
  await w.hub.importBundle(file, token, head, w.base);
  vi.unstubAllEnvs();
});

test.each(['merge-base', 'rev-parse'])(
  'commits that an agent made itself are kept when a %s that looks at them does its work and is reported as failed',
  async (sub) => {
    const w = await world();
    const dir = join(w.root, 'attempt');
    const place = { gitDir: join(dir, 'git'), index: join(dir, 'git/index'), tree: join(dir, 'tree') };
    const agent = { mirror: w.bare, base: w.base, branch: 'x', previous: null, author: 'agent' };
    makeBorrowing(place.gitDir, w.bare, w.base);
    await checkoutCold(place, w.base);
    makeAgentRepository(place, agent);
    writeFileSync(join(place.tree, 'b.txt'), 'B\n');
    for (const args of [
      ['add', '-A'],
      ['commit', '-qm', 'its own'],
    ])
      execFileSync('git', args, { cwd: place.tree });
    const own = readHead(join(place.tree, '.git'));
    // The first rev-parse looks at the base.
    const calls = shaky(w.root, sub, sub === 'rev-parse' ? '-eq 2' : '-eq 1', 'something broke');
    const head = await snapshot(place, { base: w.base, message: 'work', author: 'agent' });
    vi.unstubAllEnvs();
    expect(calls()).toBe(sub === 'rev-parse' ? 3 : 2);
    expect(head).toBe(own);
  },
);

test('a backup of a hub is not called bad for a git that did its work and was reported as failed', async () => {
  const w = await world();
  const { token } = await candidate(w, w.base, { 'b.txt': 'B\n' });
  const dir = w.hub.place.dir;
  const file = join(w.root, 'copy.bundle');
  const copy = await bundleHub(dir, file);
  await git(['update-ref', '-d', `refs/cand/${token}`], { gitDir: dir });
  const calls = shaky(w.root, 'index-pack', '-eq 1', 'it was done, and something broke then');
  const home = { dir, repo: w.bare, target: 'main' };
  expect(copy === null ? null : await restoreHub(home, copy, file)).toEqual([`refs/cand/${token}`]);
  vi.unstubAllEnvs();
  expect(calls()).toBe(2);
});

test('a merge whose answer could not be written is a failure of git, which is tried again', async () => {
  const w = await world();
  const { head } = await candidate(w, w.base, { 'b.txt': 'B\n' });
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const bin = join(w.root, 'mute');
  mkdirSync(bin);
  const text = `#!/bin/sh\ncase " $* " in *' merge-tree '*) exit 0 ;; esac\nexec ${real} "$@"\n`;
  writeFileSync(join(bin, 'git'), text, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  await expect(mergeTree({ gitDir: w.hub.place.dir }, w.base, head, 'follow')).rejects.toMatchObject({
    name: 'GitError',
    message: expect.stringContaining('it named no tree'),
  });
  vi.unstubAllEnvs();
});

test('what cannot be read is named as that, and not as an answer of git', async () => {
  const w = await world();
  const { createReadStream } = await import('node:fs');
  const input = createReadStream(w.root);
  await expect(git(['hash-object', '--stdin'], { input })).rejects.toMatchObject({ code: 'EISDIR' });
});
