/** What was stopped with SIGSTOP and is never told to go on by anybody: nobody waits for it for ever, and no agent is lost by it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { launch } from '../../task-wrapper/desk.ts';
import { isStopped, startTime } from '../../task-wrapper/host.ts';
import type { Recorded } from '../../task-wrapper/record.ts';
import { openRoot, type Root } from '../../task-wrapper/root.ts';
import { Silence } from '../../task-wrapper/silence.ts';
import { type Client, isAlive, newToken, plainOrder, TestNode, until } from './client.ts';

let node: TestNode;
beforeEach(() => {
  node = new TestNode({ DISPATCH_STOPPED_MS: '500', DISPATCH_QUIET_MS: '300' });
});
afterEach(() => node.clean());

/** A command that runs until the file `go` appears beside its directory. */
const WAITS = 'echo $$ > ../pid; until [ -e ../go ]; do sleep 0.05; done';

async function begun(client: Client): Promise<ReturnType<typeof plainOrder>> {
  const order = plainOrder(WAITS);
  await client.call({ op: 'start', order });
  await until(() => existsSync(`${node.root}/attempts/${order.token}/pid`));
  return order;
}

async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until(() => isStopped(pid));
}

/** Process id of the tmux server, once the supervisor knows it as well. */
async function serverPid(): Promise<number> {
  await until(() => existsSync(`${node.root}/run/tmux-server`));
  return Number(node.tmux('display-message', '-p', '#{pid}'));
}

/**
 * Each of the two tells the other to go on, so a supervisor stands still only where its server does too, and the other way
 * round; on a busy machine it may take more than one try to catch both.
 */
async function stopBoth(server: number): Promise<number> {
  const supervisor = node.supervisorPid();
  await until(() => {
    for (const pid of [server, supervisor]) process.kill(pid, 'SIGSTOP');
    return isStopped(server) && isStopped(supervisor);
  });
  return supervisor;
}

test('a supervisor that is stopped alone is told to go on by tmux', async () => {
  await node.clean();
  node = new TestNode();
  const client = await node.join();
  const pid = node.supervisorPid();
  process.kill(pid, 'SIGSTOP');
  expect(await client.call({ op: 'ping' })).toEqual({});
  expect(node.supervisorPid()).toBe(pid);
});

test('a supervisor that stands still with its tmux server is replaced when it leaves a question unanswered, and the agent works on', async () => {
  const first = await node.join();
  const order = await begun(first);
  const server = await serverPid();
  const stopped = await stopBoth(server);
  await first.call({ op: 'ping' }).catch(() => {});
  await first.closed;
  expect(isAlive(stopped)).toBe(false);
  const second = await node.join();
  // One that comes while it stands is answered by the next one, and asks nothing twice.
  const next = await stopBoth(server);
  const third = await node.join();
  await second.closed;
  expect(node.supervisorPid()).not.toBe(next);
  expect(await serverPid()).toBe(server);
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await third.ended(order.token)).toMatchObject({ kind: 'done' });
  expect(third.events.filter(({ type }) => type === 'attempt.running')).toHaveLength(1);
  expect(readFileSync(`${node.root}/run/supervisor.log`, 'utf8')).toMatch(
    /process \d+\) was stopped for \d+ s/u,
  );
});

test('a tmux server that stands still goes on, by the supervisor, and what runs in it is not lost; both is told', async () => {
  const client = await node.join();
  const order = await begun(client);
  const server = await serverPid();
  process.kill(server, 'SIGSTOP');
  // A session cannot be made meanwhile, and is made then.
  const later = await begun(client);
  expect(await serverPid()).toBe(server);
  const words = (): string[] =>
    client.events.map(({ type }) => type).filter((type) => type.startsWith('tmux'));
  await client.until(() => words().length === 2, 'the journal says so');
  expect(words()).toEqual(['tmux.lost', 'tmux.mended']);
  for (const { token } of [order, later]) {
    writeFileSync(`${node.root}/attempts/${token}/go`, '');
    expect(await client.ended(token)).toMatchObject({ kind: 'done' });
  }
});

test('a tmux server that stands still while no supervisor lives goes on when the next one is to begin', async () => {
  const first = await node.join();
  const order = await begun(first);
  const server = await serverPid();
  await stopBoth(server);
  await node.killSupervisor();
  const second = await node.join();
  expect(await serverPid()).toBe(server);
  writeFileSync(`${node.root}/attempts/${order.token}/go`, '');
  expect(await second.ended(order.token)).toMatchObject({ kind: 'done' });
});

test('the process between a connection and the supervisor, when it stands still, goes with its stream', async () => {
  const stopped = await node.join();
  const pid = stopped.process.pid ?? 0;
  await stop(pid);
  const next = await node.join();
  await stopped.closed;
  expect(isAlive(pid)).toBe(false);
  expect(await next.call({ op: 'ping' })).toEqual({});
});

test('a supervisor that runs and never answers is ended too, and one that does not end is not waited for', async () => {
  const root = openRoot(`${node.root}/other`);
  const hangs = spawn('sleep', ['300']);
  const ended = once(hangs, 'exit');
  const { pid = 0 } = hangs;
  writeFileSync(`${root.run}/supervisor`, `${pid}\n\n\n\n\n${startTime(pid)}\n`);
  let gaveUp = false;
  const giveUp = (): void => {
    gaveUp = true;
  };
  const silence = new Silence({ root, stoppedMs: 40, isHeld: () => false, giveUp });
  silence.asked();
  expect((await ended)[1]).toBe('SIGKILL');
  // Nobody hangs up on whoever asks, as where the kernel holds the process.
  await until(() => gaveUp);
  silence.over();
});

test('a step that tmux was asked for in vain cannot begin later; one that has begun counts', async () => {
  const base = mkdtempSync(join(tmpdir(), 'tw-launch-'));
  try {
    const token = newToken();
    const order = { token, node: { launch: resolve('task-wrapper/launch.sh') } } as Recorded;
    const dir = join(base, 'attempts', token);
    execFileSync('mkdir', ['-p', dir]);
    for (const step of ['1a', '2a']) writeFileSync(join(dir, `${step}.sh`), `touch ${dir}/ran-${step}\n`);
    let asked: readonly string[] = [];
    const desk = (late: boolean) => ({
      root: { attempts: join(base, 'attempts') } as Root,
      newSession: async (_: string, argv: readonly string[]) => {
        asked = argv;
        if (!late) spawnSync(argv[0] ?? '', argv.slice(1));
        throw new Error('no answer');
      },
      report: () => {},
      interrupt: () => null,
    });
    await expect(launch(desk(true), order, '1a')).rejects.toThrow('no answer');
    spawnSync(asked[0] ?? '', asked.slice(1));
    expect(existsSync(join(dir, 'ran-1a'))).toBe(false);
    await launch(desk(false), order, '2a');
    expect(existsSync(join(dir, 'ran-2a'))).toBe(true);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
