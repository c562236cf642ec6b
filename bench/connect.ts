/**
 * From nothing to a usable stream, and what a call costs after that, against bare ssh over the same line:
 * `npx tsx bench/connect.ts`. Lines of 0, 40 and 200 ms round trip (a delay proxy, since not every kernel has netem).
 * Rounds alternate, so that a busy machine slows both. Then 10,000 operations over eight nodes, and a hundred cuts of each
 * transport, straight and behind others (`--cuts 1000`: as many, and nothing else).
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NodeReach } from '../src/model/spec.ts';
import { NodeLink } from '../src/node/link.ts';
import { loadProgram } from '../src/node/program.ts';
import { nodeConfig, sshReach } from '../test/cluster/reach.ts';
import { configThrough, SlowLine } from '../test/cluster/slow-line.ts';
import { type Sshd, startSshd } from '../test/cluster/sshd.ts';
import { until } from '../test/cluster/until.ts';
import { buildForBench } from './build.ts';
import { killNode } from './fleet.ts';
import { aim, line, machine, median, mib, ms, times, title } from './figures.ts';

const ROUNDS = 7;
const CALLS = 20;
const NODES = 8;
const OPERATIONS = 10_000;

await connections();

async function connections(): Promise<void> {
  const build = await buildForBench();
  const sshd = await startSshd();
  console.log(machine());
  const cuts = cutsAsked();
  try {
    if (cuts === null) {
      for (const roundTripMs of [0, 40, 200]) await over(sshd, roundTripMs);
      await operations();
    }
    for (const transport of ['ssh2', 'openssh'] as const)
      await cutting([sshd], { ...sshReach(sshd, transport), configFile: sshd.configFile }, cuts ?? 100);
    for (const by of ['ProxyJump', 'ProxyCommand'] as const) await cuttingBehind(sshd, by, cuts ?? 100);
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

function cutsAsked(): number | null {
  const at = process.argv.indexOf('--cuts');
  return at < 0 ? null : Number(process.argv[at + 1]);
}

/** The same behind a second server, with what leads there in this process (ProxyJump) or in one of its own (ProxyCommand). */
async function cuttingBehind(sshd: Sshd, by: 'ProxyJump' | 'ProxyCommand', cuts: number): Promise<void> {
  const gate = await startSshd({ alias: 'gate' });
  const configFile = join(gate.dir, 'both');
  const lead = by === 'ProxyJump' ? 'ProxyJump gate' : `ProxyCommand ssh -F ${gate.configFile} -W %h:%p gate`;
  await writeFile(configFile, `Host ${sshd.alias}\n  ${lead}\n${await readFile(sshd.configFile, 'utf8')}`);
  await appendFile(configFile, await readFile(gate.configFile, 'utf8'));
  await cutting([gate, sshd], { ...sshReach(sshd, 'ssh2'), configFile }, cuts, ` behind a ${by}`);
  await gate.stop();
}

/** Kills every connection, again and again, and counts what is left. @param way servers, the node last; each is cut in turn. */
async function cutting(
  way: readonly Sshd[],
  reach: NodeReach & { readonly by: 'ssh' },
  cuts: number,
  how = '',
): Promise<void> {
  const node = way.at(-1);
  if (node === undefined) return;
  title(`${cuts} cuts of a link by ${reach.transport}${how}`);
  const { link } = await connected(node, reach);
  const cut = async (n: number): Promise<void> => {
    way[n % way.length]?.killConnections();
    await until('the cut is noticed', () => link.state.is !== 'up');
    await until('it is up again', () => link.state.is === 'up', 60_000);
    for (const server of way)
      await until('the old connections are gone', () => server.sessions().length <= 2);
  };
  // The first ones load code and fill caches.
  for (let n = 0; n < 10; n += 1) await cut(n);
  const before = left(way);
  const began = performance.now();
  for (let n = 0; n < cuts; n += 1) await cut(n);
  line('a cut, noticed and mended', ms((performance.now() - began) / cuts));
  await until('nothing of the last cut is left', () => left(way).peers <= before.peers);
  const after = left(way);
  line('open files of this process', `${after.files}`, `before: ${before.files}`);
  line('its handles and requests', `${after.handles}`, `before: ${before.handles}`);
  line('its children', `${after.children}`, `before: ${before.children}`);
  line('its heap', mib(after.heap / 2 ** 20), `before: ${mib(before.heap / 2 ** 20)}`);
  line('connections at the servers', `${after.sessions}`, `before: ${before.sessions}`);
  line('processes of ours on the node', `${after.peers}`, `before: ${before.peers}`);
  await link.stop();
}

interface Left {
  readonly files: number;
  readonly handles: number;
  readonly children: number;
  /** Bytes, after a collection. */
  readonly heap: number;
  readonly sessions: number;
  readonly peers: number;
}

function left(way: readonly Sshd[]): Left {
  const children = readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((pid) => pid !== ''),
  );
  const root = workerOf(way.at(-1) as Sshd);
  const processes = execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return {
    files: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().filter((name) => !/Immediate|FSReq|Timeout/.test(name)).length,
    children: children.length,
    heap: process.memoryUsage().heapUsed,
    sessions: way.reduce((sum, server) => sum + server.sessions().length, 0),
    peers: processes.filter((args) => args.includes(root)).length,
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
