/**
 * From nothing to a usable stream, and what a call costs after that, against bare ssh over the same line:
 * `npx tsx bench/connect.ts`. Lines of 0, 40 and 200 ms round trip (a delay proxy, since not every kernel has netem).
 * Rounds alternate, so that a busy machine slows both.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NodeLink } from '../src/node/link.ts';
import { loadProgram } from '../src/node/program.ts';
import { nodeConfig, sshReach } from '../test/cluster/reach.ts';
import { configThrough, SlowLine } from '../test/cluster/slow-line.ts';
import { type Sshd, startSshd } from '../test/cluster/sshd.ts';
import { buildForBench } from './build.ts';
import { aim, line, median, ms, times, title } from './figures.ts';

const ROUNDS = 7;
const CALLS = 20;

await connections();

async function connections(): Promise<void> {
  const build = await buildForBench();
  const sshd = await startSshd();
  try {
    for (const roundTripMs of [0, 40, 200]) await over(sshd, roundTripMs);
  } finally {
    await sshd.stop();
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

interface Life {
  /** From the start of connecting to the first moment in which a call could be made. */
  readonly upMs: number;
  readonly callMs: number;
}

async function life(sshd: Sshd, configFile: string): Promise<Life> {
  const reach = { ...sshReach(sshd, 'ssh2'), configFile };
  let came: () => void = () => {};
  const isUp = new Promise<void>((resolve) => {
    came = resolve;
  });
  const link = new NodeLink({
    config: nodeConfig('n1', reach, { root: join(sshd.dir, 'worker') }),
    epoch: 1,
    controller: 'bench',
    program: await loadProgram(),
    cursor: () => ({ journal: null, seq: 0 }),
    onUp: () => came(),
    onDown: () => {},
    onNews: () => {},
    onTrouble: (problem) => {
      throw problem;
    },
  });
  const began = performance.now();
  link.start();
  await isUp;
  const upMs = performance.now() - began;
  const calls: number[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    const asked = performance.now();
    await link.call({ op: 'ping' });
    calls.push(performance.now() - asked);
  }
  await link.stop();
  return { upMs, callMs: median(calls) };
}
