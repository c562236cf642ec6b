/** A machine that was away, and lines that are slow: over a real sshd behind a line that can be cut. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { type LinkOptions, NodeLink } from '../../src/node/link.ts';
import { KNOCK, opensAgain } from '../../src/node/knock.ts';
import { nodeConfig, sshReach } from '../cluster/reach.ts';
import { configThrough, SlowLine } from '../cluster/slow-line.ts';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { until } from '../cluster/until.ts';
import { PeerFiles, peerProgram } from './peer.ts';

let dir: string;
let sshd: Sshd;
let line: SlowLine;
const links: NodeLink[] = [];
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-return-')));
  await new PeerFiles(join(dir, 'worker')).prepare();
  sshd = await startSshd();
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop();
  await line.cut();
  await sshd.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** Longer than any test: what comes back before has been noticed, not waited for. */
const NEVER_MS = 86_400_000;
/** By this clock no link ever lives long enough to be tried again at once. */
const STOPPED = { wall: () => Date.now(), mono: () => 0 };

it.each(['ssh2', 'openssh'] as const)(
  'a machine that is back is noticed before the back-off is over, by %s',
  async (transport) => {
    line = new SlowLine(sshd.port, 0);
    await line.open();
    const link = await linkThrough(
      { backoff: { minMs: NEVER_MS, maxMs: NEVER_MS }, clock: STOPPED },
      transport,
    );
    link.start();
    await up(link);
    const refused = countRefusals();
    await line.cut();
    await until('it was knocked at in vain', () => refused() > 0);
    expect(link.state.is).toBe('waiting');
    await line.open();
    await up(link);
    expect(await link.call({ op: 'ping' })).toEqual({});
  },
);

it('a machine whose door was open all the time is left alone until the back-off is over', async () => {
  line = new SlowLine(sshd.port, 0);
  await line.open();
  const link = await linkThrough({ backoff: { minMs: NEVER_MS, maxMs: NEVER_MS }, clock: STOPPED });
  link.start();
  await up(link);
  const before = line.taken;
  // The server is shut, and what is in front of it still takes connections.
  await sshd.halt();
  await until('it was knocked at', () => line.taken > before);
  await sshd.start();
  expect(link.state).toMatchObject({ is: 'waiting', tries: 1 });
  link.retryNow();
  await up(link);
  // One knock and one login.
  expect(line.taken).toBe(before + 2);
});

it('a machine behind something that takes connections for it is noticed when it speaks again', async () => {
  line = new SlowLine(sshd.port, 0);
  await line.open();
  line.silence();
  const back = opensAgain({ host: '127.0.0.1', port: line.port }, new AbortController().signal, {
    timings: { ...KNOCK, wordMs: 500 },
  });
  // The first knock has had no answer when the second one comes.
  await until('it was knocked at twice', () => line.taken > 1);
  line.heed();
  expect(await back).toBe(true);
});

it('a server that is there at the first knock is news only after a login to which it said nothing', async () => {
  line = new SlowLine(sshd.port, 0);
  await line.open();
  const door = { host: '127.0.0.1', port: line.port };
  const never = new AbortController().signal;
  const timings = { ...KNOCK, everyMs: 60_000, wordMs: 60_000 };
  expect(await opensAgain(door, never, { wasShut: true, timings })).toBe(true);
  expect(await opensAgain(door, never, { timings })).toBe(false);
});

it.each([40, 200])(
  'over a line of %d ms a call is one round trip, and so are ten at once',
  async (roundTripMs) => {
    line = new SlowLine(sshd.port, roundTripMs);
    await line.open();
    const link = await linkThrough({});
    link.start();
    await up(link);
    const trips = async (calls: number): Promise<number> => {
      const before = line.trips;
      await Promise.all(Array.from({ length: calls }, () => link.call({ op: 'ping' })));
      return line.trips - before;
    };
    // A keepalive of ssh may fall into a look; it does not fall into each.
    await until('a call takes one', async () => (await trips(1)) === 1);
    await until('ten take one', async () => (await trips(10)) === 1);
  },
);

async function linkThrough(
  over: Partial<LinkOptions>,
  transport: 'ssh2' | 'openssh' = 'ssh2',
): Promise<NodeLink> {
  const reach = { ...sshReach(sshd, transport), configFile: await configThrough(sshd, line) };
  const link = new NodeLink({
    config: nodeConfig('n1', reach, { root: join(dir, 'worker') }),
    epoch: 1,
    controller: 'test',
    program: await peerProgram(),
    cursor: () => ({ journal: null, seq: 0 }),
    onUp: () => {},
    onDown: () => {},
    onNews: () => {},
    random: () => 0.5,
    ...over,
  });
  links.push(link);
  return link;
}

/** How often this process has been refused a connection from now on. */
function countRefusals(): () => number {
  let refused = 0;
  const watch = (message: unknown): void => {
    (message as { socket: Socket }).socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') refused += 1;
    });
  };
  subscribe('net.client.socket', watch);
  onTestFinished(() => void unsubscribe('net.client.socket', watch));
  return () => refused;
}

function up(link: NodeLink): Promise<void> {
  return until('the link is up', () => link.state.is === 'up');
}
