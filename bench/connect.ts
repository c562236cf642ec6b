/**
 * From nothing to a usable stream, and what a call costs after that, against bare ssh over the same line:
 * `npx tsx bench/connect.ts`. Lines of 0, 40 and 200 ms round trip (a delay proxy, since not every kernel has netem).
 * Rounds alternate, so that a busy machine slows both. Then 10,000 operations over eight nodes, and a hundred cuts (another
 * number: `--cuts 1000`).
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeReach } from '../src/model/spec.ts';
import { NodeLink } from '../src/node/link.ts';
import { loadProgram } from '../src/node/program.ts';
import { nodeConfig, sshReach } from '../test/cluster/reach.ts';
import { configThrough, SlowLine } from '../test/cluster/slow-line.ts';
import { type Sshd, startSshd } from '../test/cluster/sshd.ts';
import { until } from '../test/cluster/until.ts';
import { buildForBench } from './build.ts';
import { killNode } from './fleet.ts';
import { aim, line, median, ms, times, title } from './figures.ts';

const ROUNDS = 7;
const CALLS = 20;
const NODES = 8;
const OPERATIONS = 10_000;

await connections();

async function connections(): Promise<void> {
  const build = await buildForBench();
  const sshd = await startSshd();
  try {
    for (const roundTripMs of [0, 40, 200]) await over(sshd, roundTripMs);
    await operations();
    for (const transport of ['ssh2', 'openssh'] as const) await cutting(sshd, transport, cutsAsked());
  } finally {
    await stopped(sshd);
    build.remove();
  }
}

async function over(sshd: Sshd, roundTripMs: number): Promise<void> {
  const wire = new SlowLine(sshd.port, roundTripMs);
  await wire.open();
  const configFile = await configThrough(sshd, wire);
  title(`a line of ${roundTripMs} ms round trip, medians of ${ROUNDS} alternating rounds`);
  // The program is there and a supervisor lives, as on every day but the first.
  await life(sshd, configFile);
  const bare: number[] = [];
  const ours: Life[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await bareSsh(sshd, configFile));
    ours.push(await life(sshd, configFile));
  }
  const cold = median(ours.map(({ upMs }) => upMs));
  line('bare ssh, a command', ms(median(bare)));
  line('dispatch, usable stream', ms(cold));
  const ratio = median(ours.map(({ upMs }, round) => upMs / (bare[round] ?? Number.NaN)));
  line('dispatch / bare ssh, of the pairs', times(ratio), '', aim(ratio, 1.3, 'times'));
  line('a call on the stream', ms(median(ours.map(({ callMs }) => callMs))));
  await wire.cut();
}

/** Logs in and runs a command that does nothing; milliseconds until its end. */
async function bareSsh(sshd: Sshd, configFile: string): Promise<number> {
  const began = performance.now();
  // Not synchronous: the line is in this process.
  const child = spawn('ssh', ['-F', configFile, sshd.alias, 'true'], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`ssh ended with ${code}`);
  return performance.now() - began;
}

/** All at once, on servers with the limits that a distribution ships (ten sessions to a connection). */
async function operations(): Promise<void> {
  title(`${OPERATIONS} operations over ${NODES} nodes`);
  const servers = await Promise.all(
    Array.from({ length: NODES }, (_, index) => startSshd({ alias: `op${index}` })),
  );
  const links = await Promise.all(
    servers.map((server) =>
      connected(server, { ...sshReach(server, 'ssh2'), configFile: server.configFile }),
    ),
  );
  const began = performance.now();
  const outcomes = await Promise.allSettled(
    Array.from({ length: OPERATIONS }, async (_, index) =>
      links[index % NODES]?.link.call({ op: 'inventory' }),
    ),
  );
  const wallMs = performance.now() - began;
  const refused = outcomes.filter(({ status }) => status === 'rejected').length;
  line('operations', `${Math.round((OPERATIONS * 1000) / wallMs)} a second`, `${refused} refused`);
  for (const { link } of links) await link.stop();
  for (const server of servers) await stopped(server);
}

async function stopped(sshd: Sshd): Promise<void> {
  killNode(workerOf(sshd));
  await sshd.stop();
}

function workerOf(sshd: Sshd): string {
  return join(sshd.dir, 'worker');
}

function cutsAsked(): number {
  const at = process.argv.indexOf('--cuts');
  return at < 0 ? 100 : Number(process.argv[at + 1]);
}

/** Kills every connection, again and again, and counts what is left. */
async function cutting(sshd: Sshd, transport: 'ssh2' | 'openssh', cuts: number): Promise<void> {
  title(`${cuts} cuts of a link by ${transport}`);
  const { link } = await connected(sshd, { ...sshReach(sshd, transport), configFile: sshd.configFile });
  const before = left(sshd);
  const began = performance.now();
  for (let cut = 0; cut < cuts; cut += 1) {
    sshd.killConnections();
    await until('the cut is noticed', () => link.state.is !== 'up');
    await until('it is up again', () => link.state.is === 'up', 60_000);
  }
  line('a cut, noticed and mended', ms((performance.now() - began) / cuts));
  await until('the last connection is the only one', () => sshd.sessions().length <= before.sessions);
  const after = left(sshd);
  line('open files of this process', `${after.files}`, `before: ${before.files}`);
  line('its children', `${after.children}`, `before: ${before.children}`);
  line('connections at the server', `${after.sessions}`, `before: ${before.sessions}`);
  await link.stop();
}

interface Left {
  readonly files: number;
  readonly children: number;
  readonly sessions: number;
}

function left(sshd: Sshd): Left {
  const children = readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((pid) => pid !== ''),
  );
  return {
    files: readdirSync('/proc/self/fd').length,
    children: children.length,
    sessions: sshd.sessions().length,
  };
}

interface Life {
  /** From the start of connecting to the first moment in which a call could be made. */
  readonly upMs: number;
  readonly callMs: number;
}

async function life(sshd: Sshd, configFile: string): Promise<Life> {
  const { link, upMs } = await connected(sshd, { ...sshReach(sshd, 'ssh2'), configFile });
  const calls: number[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    const asked = performance.now();
    await link.call({ op: 'ping' });
    calls.push(performance.now() - asked);
  }
  await link.stop();
  return { upMs, callMs: median(calls) };
}

/** A link that is up, and how long that took, milliseconds. */
async function connected(sshd: Sshd, reach: NodeReach): Promise<{ link: NodeLink; upMs: number }> {
  let came: () => void = () => {};
  const isUp = new Promise<void>((resolve) => {
    came = resolve;
  });
  const link = new NodeLink({
    config: nodeConfig(sshd.alias, reach, { root: workerOf(sshd) }),
    epoch: 1,
    controller: 'bench',
    program: await loadProgram(),
    cursor: () => ({ journal: null, seq: 0 }),
    onUp: () => came(),
    onDown: () => {},
    onNews: () => {},
    backoff: { minMs: 1, maxMs: 1 },
  });
  const began = performance.now();
  link.start();
  await isUp;
  return { link, upMs: performance.now() - began };
}
