/** What a git that was killed has left in the way of an attempt's index. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { snapshot } from '../../src/git/snapshot.ts';
import { checkoutCold, checkoutWarm, makeBorrowing, type TreePlace } from '../../src/git/tree.ts';
import { world } from './hub-fixture.ts';

async function attempt() {
  const w = await world();
  const dir = join(w.root, 'attempt');
  const place: TreePlace = {
    gitDir: join(dir, 'git'),
    index: join(dir, 'git/index'),
    tree: join(dir, 'tree'),
  };
  makeBorrowing(place.gitDir, w.bare, w.base);
  await checkoutCold(place, w.base);
  const lock = `${place.index}.lock`;
  writeFileSync(lock, '');
  return { base: w.base, place, lock };
}

test('a lock that a dead git left on the index of an attempt costs neither its work nor its warm tree', async () => {
  const { base, place, lock } = await attempt();
  writeFileSync(join(place.tree, 'b.txt'), 'B\n');
  const head = await snapshot(place, { base, message: 'work', author: 'agent' });
  expect(head).toMatch(/^[0-9a-f]{40}$/u);
  expect(existsSync(lock)).toBe(false);
  writeFileSync(lock, '');
  expect(await checkoutWarm(place, base)).toBe(true);
});

test('the git that a killed supervisor left is waited for', async () => {
  const { base, place } = await attempt();
  const living = spawn('git', [`--git-dir=${place.gitDir}`, 'cat-file', '--batch'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(living, 'spawn');
  writeFileSync(join(place.tree, 'b.txt'), 'B\n');
  const taken = snapshot(place, { base, message: 'work', author: 'agent' });
  const first = await Promise.race([
    taken,
    once(living, 'exit'),
    new Promise((done) => setTimeout(done, 50)),
  ]);
  expect(first).toBeUndefined();
  living.stdin.end();
  expect(await taken).toMatch(/^[0-9a-f]{40}$/u);
});
