import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRoot, type Root } from '../../task-wrapper/root.ts';
import { makeRoom } from '../../task-wrapper/sweep.ts';
import { newToken, plainOrder, TestNode } from './client.ts';

let root: Root;
beforeEach(() => {
  root = openRoot(mkdtempSync(join(tmpdir(), 'tw-sweep-')));
});
afterEach(() => rmSync(root.path, { recursive: true, force: true }));

/** A file that was written some hours ago, as its directory was. */
function put(path: string, hoursAgo: number, text = 'x'): string {
  const file = `${root.path}/${path}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const at = Date.now() / 1000 - hoursAgo * 3600;
  for (const touched of [file, dirname(file)]) utimesSync(touched, at, at);
  return file;
}

function there(...paths: string[]): string[] {
  return paths.filter((path) => existsSync(`${root.path}/${path}`));
}

/** What an attempt of the project leaves of itself. */
function order(project: string): string {
  return JSON.stringify({ ...plainOrder('true'), project, node: {} });
}

test('a sweep removes what can be made again, and nothing else', async () => {
  const [used, kept] = [newToken(), newToken()];
  put('pool/p/1/tree/big', 1);
  put('prepared/p/aaa/0/file', 2);
  utimesSync(`${root.path}/prepared/p/aaa`, 1, 1);
  put('prepared/p/bbb/0/file', 2);
  utimesSync(`${root.path}/prepared/p/bbb`, 1, 1);
  put(`attempts/${used}/prepared`, 1, 'bbb');
  put(`attempts/${used}/attempt.json`, 1, order('busy'));
  put(`trash/${kept}/attempt.json`, 1, order('unfetched'));
  put(`trash/${kept}/tree/work`, 1);
  put(`done/${newToken()}/agent.log`, 1);
  put('run/bundle-0123', 2);
  put('run/bundle-4567', 0);
  for (const project of ['busy', 'unfetched', 'over', 'young']) {
    put(`repos/${project}.git/refs/base/c0ffee`, project === 'young' ? 1 : 48);
    put(`repos/${project}.git/objects/pack/tmp_pack_1`, 2);
    put(`repos/${project}.git/objects/pack/pack-1.pack`, 48);
  }
  const { removed, free } = await makeRoom(root);
  expect(removed).toEqual([
    '1 warm trees',
    '1 prepared directories',
    '5 leftovers of transfers',
    '1 stale mirrors',
  ]);
  expect(free).toBeGreaterThan(0);
  expect(there('pool/p/1', 'prepared/p/aaa', 'prepared/p/bbb', 'run/bundle-0123', 'run/bundle-4567')).toEqual(
    ['prepared/p/bbb', 'run/bundle-4567'],
  );
  const mirrors = ['busy', 'unfetched', 'over', 'young'].map(
    (name) => `repos/${name}.git/objects/pack/pack-1.pack`,
  );
  expect(there(...mirrors)).toEqual(mirrors.filter((path) => !path.includes('over')));
  // Work that nobody has fetched keeps its time, and a log of today too.
  expect(there(`trash/${kept}/tree/work`)).toHaveLength(1);
  expect((await makeRoom(root)).removed).toEqual([]);
});

test('what a supervisor that was killed had under way is removed by the next one', async () => {
  const node = new TestNode();
  try {
    await node.join();
    await node.killSupervisor();
    const run = `${node.root}/run`;
    for (const name of ['upload-0123', 'bundle-4567', 'stuck.new']) writeFileSync(`${run}/${name}`, 'half');
    mkdirSync(`${run}/sandbox-abc/tree`, { recursive: true });
    await node.join();
    expect(readdirSync(run).filter((name) => /^(?:upload|bundle|sandbox)-|\.new$/u.test(name))).toEqual([]);
  } finally {
    await node.clean();
  }
});

test('a node sweeps, tells how it is, and starts its supervisor anew without a scratch to what runs', async () => {
  const node = new TestNode();
  try {
    const client = await node.join();
    const work = plainOrder('until [ -e ../go ]; do sleep 0.05; done');
    await client.call({ op: 'start', order: work });
    expect(await client.call({ op: 'sweep', epoch: 1 })).toMatchObject({ removed: [] });
    const health = await client.call({ op: 'health' });
    expect(health).toMatchObject({ attempts: 1, reserve: { files: 2000 }, stallMs: expect.any(Number) });
    const before = node.supervisorPid();
    await client.call({ op: 'restart', epoch: 1 });
    await client.closed;
    const again = await node.join();
    expect(node.supervisorPid()).not.toBe(before);
    writeFileSync(`${node.root}/attempts/${work.token}/go`, '');
    expect(await again.ended(work.token)).toMatchObject({ kind: 'done' });
  } finally {
    await node.clean();
  }
});
