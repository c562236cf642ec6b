/** What a link makes of time that this process did not see pass. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NodeLink } from '../../src/node/link.ts';
import type { SessionTimings } from '../../src/node/session.ts';
import { nodeConfig } from '../cluster/reach.ts';
import { until } from '../cluster/until.ts';
import { PeerFiles, peerProgram } from './peer.ts';

let dir: string;
let peer: PeerFiles;
let link: NodeLink;
const told: string[] = [];
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'dispatch-sleep-')));
  peer = new PeerFiles(join(dir, 'worker'));
  await peer.prepare();
  told.splice(0);
});
afterEach(async () => {
  await link.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A link to this machine that is up. */
async function linked(timings: Partial<SessionTimings> = {}): Promise<void> {
  link = new NodeLink({
    config: nodeConfig('here', { by: 'local' }, { root: join(dir, 'worker') }),
    epoch: 1,
    controller: 'test',
    program: await peerProgram(),
    cursor: () => ({ journal: null, seq: 0 }),
    onUp: () => told.push('up'),
    onAlive: () => told.push('alive'),
    onDown: () => told.push('down'),
    onNews: () => {},
    timings,
  });
  link.start();
  await until('the link is up', () => told.includes('up'));
}

/** Nothing of this process runs meanwhile, its timers included. */
function stopThisProcess(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a deadline that passed while nobody could look is not charged: the answer lay in the pipe', async () => {
  await linked();
  const asked = link.call({ op: 'ping' }, { timeoutMs: 2000 });
  // The request leaves at the end of this turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  stopThisProcess(4500);
  expect(await asked).toEqual({});
  expect(told).toEqual(['up']);
});

test('after waking, a link that answers is alive', async () => {
  await linked();
  link.wake();
  await until('it says so', () => told.includes('alive'));
  expect(told).toEqual(['up', 'alive']);
});

test('after waking, a link that does not answer is made anew long before its ordinary deadline', async () => {
  await linked({ proveMs: 300, pingEveryMs: 600_000, pingDeadlineMs: 600_000 });
  const stopped = peer.pids().at(-1) ?? 0;
  process.kill(stopped, 'SIGSTOP');
  try {
    link.wake();
    await until('another one is up', () => told.filter((word) => word === 'up').length === 2);
  } finally {
    if (peer.living().includes(stopped)) process.kill(stopped, 'SIGKILL');
  }
  expect(told).toEqual(['up', 'down', 'up']);
});
