/** What a project has installed for its verify commands. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Preparation, SandboxRules } from '../../src/model/sandbox.ts';
import type { AttemptOrder } from '../../src/protocol/order.ts';
import { type Client, TestNode, until } from './client.ts';
import { Project, treeOrder } from './project.ts';
import { gateOrder, noSandbox, runGate } from './sandbox-here.ts';

const FILES = { 'package.json': '{}\n', 'package-lock.json': '1\n', 'src/a.txt': 'a\n', 'test.sh': 'true\n' };

let node: TestNode;
let client: Client;
let project: Project;
beforeEach(async () => {
  node = new TestNode();
  project = new Project(FILES);
  client = await node.join();
  await project.put(client);
});
afterEach(async () => {
  project.clean();
  await node.clean();
});

/** Makes node_modules with the lockfile's text, and its own number: a second run would make another one. */
const INSTALL =
  'mkdir -p node_modules && cat package-lock.json > node_modules/lock && head -c 8 /dev/urandom | od -An -tx8 > node_modules/run';

function prepared(change: Partial<Preparation> = {}): Partial<SandboxRules> {
  const prepare = { command: INSTALL, keyedBy: ['package-lock.json'], paths: ['node_modules'], ...change };
  return { prepare };
}

async function said(order: AttemptOrder): Promise<string> {
  return (await runGate(node, client, order)).said.trim();
}

function keys(): string[] {
  return readdirSync(`${node.root}/prepared/demo`);
}

describe.skipIf(noSandbox !== null)(`a preparation${noSandbox === null ? '' : ` (${noSandbox})`}`, () => {
  test('runs once for each content of its lockfiles, for gates at the same time and for work alike', async () => {
    const show = 'cat node_modules/run';
    const [one, two] = await Promise.all([
      said(gateOrder(project, show, prepared())),
      said(gateOrder(project, show, prepared())),
    ]);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(two).toBe(one);
    const work = treeOrder(project, 'echo b > src/a.txt', {}, { verify: show });
    const { sandbox } = gateOrder(project, show, prepared()).work;
    const order = { ...work, work: { ...work.work, sandbox } };
    expect((await runGate(node, client, order)).outcome.kind).toBe('done');
    expect(node.file(order.token, '1v.log').trim()).toBe(one);
    expect(keys()).toHaveLength(1);

    project.commit({ 'package-lock.json': '2\n' });
    await project.put(client);
    expect(await said(gateOrder(project, 'cat node_modules/lock', prepared()))).toBe('2');
    project.commit({ 'package-lock.json': '1\n', 'src/a.txt': 'other\n' });
    await project.put(client);
    expect(await said(gateOrder(project, show, prepared()))).toBe(one);
  });

  test('cannot be changed by one verify command for the next', async () => {
    const spoil =
      'echo evil > node_modules/lock; rm -rf node_modules; touch node_modules/new; mv node_modules gone; true';
    await runGate(node, client, gateOrder(project, spoil, prepared()));
    expect(await said(gateOrder(project, 'ls node_modules; cat node_modules/lock', prepared()))).toBe(
      'lock\nrun\n1',
    );
  });

  test('sees the files of its key and nothing else, so that a branch cannot slip in what its key does not say', async () => {
    const rules = prepared({
      command: 'seen=$(find . -type f | sort); mkdir node_modules; echo "$seen" > node_modules/seen',
    });
    expect(await said(gateOrder(project, 'cat node_modules/seen', rules))).toBe(
      './package-lock.json\n./package.json',
    );
    const one = await said(gateOrder(project, 'cat node_modules/run', prepared()));
    project.commit({ 'package.json': '{ "scripts": { "postinstall": "evil" } }\n' });
    await project.put(client);
    expect(await said(gateOrder(project, 'cat node_modules/run', prepared()))).not.toBe(one);
  });

  test('that fails is a broken gate that tells why, and is tried again', async () => {
    const broken = prepared({ command: 'echo the registry is down; exit 7' });
    expect((await runGate(node, client, gateOrder(project, 'true', broken))).outcome).toMatchObject({
      kind: 'failed',
      cause: 'gate',
      message: expect.stringMatching(/exit code 7.*the registry is down/),
    });
    expect(
      (await runGate(node, client, gateOrder(project, 'true', prepared({ command: 'true' })))).outcome,
    ).toMatchObject({
      kind: 'failed',
      cause: 'gate',
      message: expect.stringContaining('made no directory node_modules'),
    });
    expect(
      (await runGate(node, client, gateOrder(project, 'true', prepared({ keyedBy: ['yarn.lock'] })))).outcome,
    ).toMatchObject({
      kind: 'failed',
      cause: 'gate',
      message: expect.stringContaining('yarn.lock'),
    });
    expect(keys()).toEqual([]);
    expect((await runGate(node, client, gateOrder(project, 'true', prepared()))).outcome.kind).toBe('done');
  });

  test('is not led elsewhere by what a branch puts in its place', async () => {
    for (const trap of ['ln -s /tmp node_modules', 'mkdir node_modules; echo x > node_modules/x']) {
      project.git('checkout', '-q', 'main');
      project.git('checkout', '-q', '-B', 'trap');
      execFileSync('sh', ['-c', trap], { cwd: project.dir });
      project.commit({});
      await project.put(client);
      expect((await runGate(node, client, gateOrder(project, 'true', prepared()))).outcome).toMatchObject({
        kind: 'refused',
        findings: [{ gate: 'verify', path: 'node_modules' }],
      });
      rmSync(`${project.dir}/node_modules`, { recursive: true });
      project.git('checkout', '-q', '-f', 'main');
    }
  });

  test('is kept for a few keys, never taken from under an attempt, and half made ones of the dead go', async () => {
    mkdirSync(`${node.root}/prepared/demo/making-4194303-dead`, { recursive: true });
    const orders: AttemptOrder[] = [];
    for (let n = 1; n <= 7; n += 1) {
      project.commit({ 'package-lock.json': `${n} of many\n` });
      await project.put(client);
      const order = gateOrder(project, 'true', prepared());
      orders.push(order);
      await runGate(node, client, order);
    }
    expect(keys()).toHaveLength(7);
    for (const { token } of orders) await client.call({ op: 'forget', token, epoch: 1 });
    project.commit({ 'package-lock.json': 'one more\n' });
    await project.put(client);
    expect((await runGate(node, client, gateOrder(project, 'true', prepared()))).outcome.kind).toBe('done');
    expect(keys()).toHaveLength(4);
  });

  test('does not hold up an attempt that is cancelled', async () => {
    const order = gateOrder(project, 'true', prepared({ command: 'sleep 300' }));
    await client.call({ op: 'start', order });
    await until(
      () => existsSync(`${node.root}/prepared/demo`) && keys().some((name) => name.startsWith('making')),
    );
    await client.call({ op: 'cancel', token: order.token, reason: 'enough', epoch: 1 });
    expect(await client.ended(order.token)).toEqual({ kind: 'cancelled', reason: 'enough' });
  });

  test('ends with the supervisor, and the next one makes it anew', async () => {
    const go = `${project.dir}/go`;
    const install = `head -c 8 /dev/urandom | od -An -tx8 > part; mv part started; until [ -e ${go} ]; do sleep 0.05; done; mkdir node_modules; cp started node_modules/`;
    const rules = { ...prepared({ command: install }), readOnly: [project.dir] };
    const order = gateOrder(project, 'cat node_modules/started', rules);
    await client.call({ op: 'start', order });
    const place = `${node.root}/prepared/demo`;
    const startedAt = (): string | undefined =>
      existsSync(place)
        ? keys()
            .map((name) => `${place}/${name}/tree/started`)
            .find((file) => existsSync(file))
        : undefined;
    await until(() => startedAt() !== undefined);
    const first = readFileSync(startedAt() ?? '', 'utf8');
    process.kill(node.supervisorPid(), 'SIGKILL');
    writeFileSync(go, '');
    const next = await node.join();
    await next.ended(order.token);
    const second = node.file(order.token, 'agent.log');
    expect(second.trim()).toMatch(/^[0-9a-f]{16}$/);
    expect(second).not.toBe(first);
    expect(keys()).toHaveLength(1);
  });

  test('of a trusted project is reached by a link', async () => {
    const order = gateOrder(project, 'cat node_modules/lock', { ...prepared(), trusted: true });
    expect(await said(order)).toBe('1');
  });
});
