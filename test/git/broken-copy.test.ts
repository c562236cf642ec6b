/** The copy of the base on which a gate has to go red, made by real git in a real hub. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { CommitId } from '../../src/model/ids.ts';
import { PROJECT as CORPUS, VERIFY } from '../hostile/project.ts';
import { type World, world } from './hub-fixture.ts';
import { Repo, scratch } from './repo.ts';

// Each starts many programs; a busy machine needs its time for them.
vi.setConfig({ testTimeout: 300_000 });

const FILES = {
  'README.md': '# app\n',
  'check.sh': 'exec:#!/bin/sh\n. lib/env.sh\nsh tests/all.sh\n',
  'lib/env.sh': 'export CI=1\n',
  'tests/all.sh': 'for t in tests/*.t; do sh "$t" || exit 1; done\n',
  'tests/one.t': 'grep -q works src/app.txt\n',
  'src/app.txt': 'it works\n',
  'src/page.php': '<h1>hi</h1>\n',
  'src/run': 'exec:#!/bin/sh\ntrue\n',
  'link.txt': 'link:src/app.txt',
  'package.json': '{"scripts":{"test":"sh tests/all.sh"}}\n',
  'package-lock.json': '{}\n',
  'made.list': 'a\n',
  'vendor/dep/index.js': 'module.exports = 1;\n',
  'dir with space/ünï "quote".txt': 'odd\n',
};

/** Paths of `commit` whose content is not what it was at the base. */
function brokenPaths({ hub }: World, base: CommitId, commit: CommitId): string[] {
  const argv = ['-C', hub.place.dir, 'diff-tree', '-r', '-z', '--name-only', base, commit];
  return execFileSync('git', argv, { encoding: 'utf8' }).split('\0').filter(Boolean).sort();
}

/** A checkout of the commit, as a gate gets one. */
async function checkout({ hub }: World, commit: CommitId): Promise<Repo> {
  const repo = await Repo.create(join(scratch(), 'checkout'));
  execFileSync('git', ['-C', repo.dir, 'fetch', '-q', hub.place.dir, commit]);
  await repo.git('checkout', '-q', '--detach', 'FETCH_HEAD');
  return repo;
}

function exitOf(command: string, { dir }: Repo): number | null {
  return spawnSync('/bin/sh', ['-c', command], { cwd: dir }).status;
}

test('everything is broken but what makes the gate run, modes and links stay, and no branch points to it', async () => {
  const here = await world(FILES);
  await here.hub.base();
  const refs = execFileSync('git', ['-C', here.hub.place.dir, 'for-each-ref'], { encoding: 'utf8' });
  const copy = await here.hub.breakCopy(here.base, './check.sh', ['made.list']);
  const broken = brokenPaths(here, here.base, copy.commit);
  expect(broken).toEqual([
    'README.md',
    'dir with space/ünï "quote".txt',
    'src/app.txt',
    'src/page.php',
    'src/run',
    'tests/one.t',
  ]);
  expect(copy.files).toBe(broken.length);
  expect(execFileSync('git', ['-C', here.hub.place.dir, 'for-each-ref'], { encoding: 'utf8' })).toBe(refs);
  const tree = await checkout(here, copy.commit);
  expect(await tree.git('ls-tree', 'HEAD', 'src/run')).toMatch(/^100755 /);
  expect(await tree.git('ls-tree', 'HEAD', 'link.txt')).toMatch(/^120000 /);
  expect(await tree.read('src/page.php')).toMatch(/^<\?php /);
  expect(await tree.git('rev-parse', 'HEAD^')).toBe(here.base);
});

test('is the same tree each time, so that it is gated once', async () => {
  const here = await world(FILES);
  const first = await here.hub.breakCopy(here.base, './check.sh', []);
  const again = await here.hub.breakCopy(here.base, './check.sh', []);
  expect(again.tree).toBe(first.tree);
});

test('a base that holds nothing but the gate has no file to break', async () => {
  const here = await world({ 'check.sh': 'exec:#!/bin/sh\ntrue\n', Makefile: 'test:\n\t./check.sh\n' });
  const copy = await here.hub.breakCopy(here.base, 'make test', []);
  expect(copy.files).toBe(0);
  expect(brokenPaths(here, here.base, copy.commit)).toEqual([]);
});

test.each([
  './check.sh',
  'sh check.sh',
  'npm test --silent',
  'sh tests/one.t',
  'test -f src/app.txt && grep -q works src/app.txt',
])('an honest gate, %j, is green on the base and red on the copy', async (verify) => {
  const here = await world(FILES);
  const copy = await here.hub.breakCopy(here.base, verify, []);
  expect(exitOf(verify, await checkout(here, here.base))).toBe(0);
  expect(exitOf(verify, await checkout(here, copy.commit))).not.toBe(0);
});

test.each([
  ['VERIFY', VERIFY],
  ['npm', 'npm test --silent'],
  ['the runner itself', 'node --test --test-reporter=tap'],
  ['Python', 'python3 -m unittest tests/test_words.py'],
])('so is one of a project with tests in two languages: %s', async (_what, verify) => {
  const files = Object.entries(CORPUS).map(([path, file]): [string, string] => [
    path,
    typeof file === 'string' ? file : `exec:${(file as { text: string }).text}`,
  ]);
  const here = await world(Object.fromEntries(files));
  const copy = await here.hub.breakCopy(here.base, verify, []);
  expect(exitOf(verify, await checkout(here, here.base))).toBe(0);
  expect(exitOf(verify, await checkout(here, copy.commit))).not.toBe(0);
});

test('make beside a folder that is named like the target runs nothing, and that shows', async () => {
  const here = await world({ ...FILES, Makefile: 'test:\n\tfalse\n', 'test/a': 'a\n' });
  const copy = await here.hub.breakCopy(here.base, 'make test', []);
  expect(exitOf('make test', await checkout(here, copy.commit))).toBe(0);
});

test.each([
  'true',
  './check.sh || true',
  'sh tests/one.t; exit 0',
  'sh tests/one.t | cat',
  'test -d src',
  'ls made.list',
])('one that proves nothing, %j, stays green on the copy', async (verify) => {
  const here = await world(FILES);
  const copy = await here.hub.breakCopy(here.base, verify, []);
  expect(copy.files).toBeGreaterThan(0);
  expect(exitOf(verify, await checkout(here, copy.commit))).toBe(0);
});

test('the fingerprint of a gate changes with what it runs, however far that is named, and with nothing else', async () => {
  const { hub, person, bare, base } = await world(FILES);
  const prints = async (edit: Parameters<Repo['commit']>[0]): Promise<string | undefined> => {
    await person.branch('main', base);
    await person.commit({ ...edit, 'README.md': `# ${JSON.stringify(edit)}\n` });
    await person.git('push', '-q', '--force', bare, 'HEAD:refs/heads/other');
    execFileSync('git', ['-C', hub.place.dir, 'fetch', '-q', bare, 'refs/heads/other']);
    return (await hub.inspectGates(await person.tip(), ['./check.sh'])).files['./check.sh'];
  };
  const { files, paths, tree } = await hub.inspectGates(base, ['./check.sh', 'make test']);
  expect(tree).toBe(await person.git('rev-parse', `${base}^{tree}`));
  expect(paths).toEqual(
    expect.arrayContaining(['check.sh', 'lib/env.sh', 'tests/all.sh', 'GNUmakefile', 'Makefile']),
  );
  const before = files['./check.sh'];
  expect(await prints({ 'src/app.txt': 'it works better\n', 'tests/two.t': 'true\n' })).toBe(before);
  const others = [
    await prints({ 'check.sh': 'exec:#!/bin/sh\nexit 0\n' }),
    await prints({ 'lib/env.sh': 'export CI=\n' }),
    await prints({ 'tests/all.sh': 'true\n' }),
    await prints({ 'tests/all.sh': null }),
    await prints({ 'check.sh': FILES['check.sh'].replace('exec:', '') }),
  ];
  expect(new Set([before, ...others]).size).toBe(others.length + 1);
});
