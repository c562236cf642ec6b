/**
 * Trivial tasks over four sshd nodes of eight slots, every event durable and every task in tmux, against what a user
 * could type: `npx tsx bench/throughput.ts [tasks] [--no-parallel]`. Rounds alternate, so that a busy machine slows all.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Build, buildForBench } from './build.ts';
import { writeHome } from './cli-home.ts';
import { check, type Measured, runController, sessionsMade } from './controller.ts';
import { aim, line, median, mib, ms, quantile, seconds, times, title } from './figures.ts';
import { chores, type Fleet, startFleet } from './fleet.ts';
import { type Rivals, startRivals } from './rivals.ts';
import { difference, total, type Usage, usageNow } from './usage.ts';

const NODES = 4;
const SLOTS = 8;
const ROUNDS = 3;
const MANY = 10_000;
const CHAIN = 200;
const DIAMOND = 1000;

const asked = Number(process.argv[2]);
await throughput(Number.isInteger(asked) ? asked : 1000, !process.argv.includes('--no-parallel'));

async function throughput(count: number, withParallel: boolean): Promise<void> {
  const build = await buildForBench();
  const fleet = await startFleet(NODES, SLOTS);
  const rivals = await startRivals(fleet);
  try {
    // The first run ships the program and starts the supervisors.
    await runController(build, fleet, chores('warm', 64));
    await trivial(build, fleet, rivals, count, withParallel);
    await many(build, fleet, rivals);
    await chain(build, fleet, rivals);
    await diamond(build, fleet);
    await commandLine(build, fleet);
  } finally {
    await rivals.stop();
    await fleet.stop();
    build.remove();
  }
}

async function trivial(
  build: Build,
  fleet: Fleet,
  rivals: Rivals,
  count: number,
  withParallel: boolean,
): Promise<void> {
  title(
    `${count} trivial tasks, ${NODES} sshd nodes x ${SLOTS} slots, medians of ${ROUNDS} alternating rounds`,
  );
  const ours: Measured[] = [];
  const xargs: Timed[] = [];
  const parallel: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await runController(build, fleet, chores('bench', count)));
    xargs.push(timed(fleet, () => rivals.xargs(count)));
    const other = withParallel ? rivals.parallel(count) : null;
    if (other !== null) parallel.push(other);
  }
  const wall = median(ours.map(({ wallMs }) => wallMs));
  const theirs = median(xargs.map(({ wallMs }) => wallMs));
  const ratio = median(ours.map(({ wallMs }, round) => wallMs / (xargs[round]?.wallMs ?? Number.NaN)));
  line('dispatch, wall', seconds(wall), `${Math.round((count * 1000) / wall)} tasks a second`);
  line('xargs -P32 ssh, control masters, wall', seconds(theirs));
  line('dispatch / xargs, of the pairs', times(ratio), '', aim(ratio, 0.8, 'times'));
  if (parallel.length > 0) {
    line('GNU parallel, control masters, wall', seconds(median(parallel)));
    line('dispatch / GNU parallel', times(wall / median(parallel)));
  }
  const cpu = (usages: readonly (Usage | null)[]): string =>
    ms(median(usages.map((usage) => (total(usage) ?? Number.NaN) / count)));
  line(
    'CPU a task, all processes',
    cpu(ours.map(({ usage }) => usage)),
    `xargs: ${cpu(xargs.map(({ usage }) => usage))}`,
  );
  line('  of these', byRole(ours[0]?.usage ?? null, count));
  const own = median(ours.map(({ cpuMs }) => cpuMs / count));
  line('controller, CPU a task', ms(own), '', aim(own, 1, 'ms'));
  line('controller, peak memory', mib(median(ours.map(({ peakMb }) => peakMb))));
}

async function many(build: Build, fleet: Fleet, rivals: Rivals): Promise<void> {
  title(`${MANY} trivial tasks, one pair`);
  const ours = await runController(build, fleet, chores('many', MANY));
  const theirs = rivals.xargs(MANY);
  line('dispatch, wall', seconds(ours.wallMs), `${Math.round((MANY * 1000) / ours.wallMs)} tasks a second`);
  line(
    'dispatch / xargs',
    times(ours.wallMs / theirs),
    `xargs: ${seconds(theirs)}`,
    aim(ours.wallMs / theirs, 0.8, 'times'),
  );
  line('controller, CPU a task', ms(ours.cpuMs / MANY), '', aim(ours.cpuMs / MANY, 1, 'ms'));
  line('controller, peak memory', mib(ours.peakMb), '', aim(ours.peakMb, 150, 'MiB'));
}

async function chain(build: Build, fleet: Fleet, rivals: Rivals): Promise<void> {
  title(`a chain of ${CHAIN}, each task depends on the one before; ${ROUNDS} alternating rounds`);
  const steps: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const project = chores('chain', CHAIN, { dependsOn: (index) => (index === 0 ? [] : [index - 1]) });
    const { tasks } = await runController(build, fleet, project);
    const claims = tasks.map(({ claimedAt }) => claimedAt).sort((a, b) => a - b);
    for (const [index, at] of claims.entries()) if (index > 0) steps.push(at - (claims[index - 1] ?? at));
    theirs.push(rivals.chain(CHAIN) / CHAIN);
  }
  line(
    'a step, from claim to claim, median',
    ms(median(steps)),
    `p95 ${ms(quantile(steps, 0.95))}`,
    aim(median(steps), 15, 'ms'),
  );
  line(
    'a step, mean',
    ms(steps.reduce((sum, step) => sum + step, 0) / steps.length),
    `ssh after ssh in a shell: ${ms(median(theirs))}`,
  );
}

async function diamond(build: Build, fleet: Fleet): Promise<void> {
  title(`a diamond of ${DIAMOND}: 1, then ${DIAMOND - 2}, then 1`);
  const walls: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const last = DIAMOND - 1;
    const between = Array.from({ length: DIAMOND - 2 }, (_, index) => index + 1);
    const dependsOn = (index: number): number[] => (index === 0 ? [] : index === last ? between : [0]);
    walls.push((await runController(build, fleet, chores('diamond', DIAMOND, { dependsOn }))).wallMs);
  }
  line('wall', seconds(median(walls)), `${Math.round((DIAMOND * 1000) / median(walls))} tasks a second`);
}

/** The same as a user runs it: specs on disk, read and validated, a line of output per event. */
async function commandLine(build: Build, fleet: Fleet): Promise<void> {
  title(`dispatch start on ${MANY} specs, the whole process: reading, validating, running, telling`);
  const home = writeHome(fleet, 'written', MANY);
  const sessions = sessionsMade(fleet);
  const began = performance.now();
  const { peakMb, cpuMs } = await watched([
    join(build.dist, 'dispatch.js'),
    '--home',
    home,
    'start',
    'written',
  ]);
  const wallMs = performance.now() - began;
  await check(home, MANY, null, sessionsMade(fleet) - sessions - fleet.nodes.length);
  line('wall', seconds(wallMs), `${Math.round((MANY * 1000) / wallMs)} tasks a second`);
  line('CPU a task', ms(cpuMs / MANY), '', aim(cpuMs / MANY, 1, 'ms'));
  line('peak memory', mib(peakMb), '', aim(peakMb, 150, 'MiB'));
}

interface Timed {
  readonly wallMs: number;
  readonly usage: Usage | null;
}

function timed(fleet: Fleet, run: () => number): Timed {
  const before = usageNow(fleet.dir);
  const wallMs = run();
  return { wallMs, usage: difference(usageNow(fleet.dir), before) };
}

function byRole(usage: Usage | null, count: number): string {
  if (usage === null) return 'unknown';
  return Object.entries(usage)
    .map(([role, used]) => `${role} ${(used / count).toFixed(2)}`)
    .join(', ');
}

/** Memory and CPU of a Node.js program to its end, as the kernel keeps them; asked for until it is gone. */
async function watched(args: readonly string[]): Promise<{ peakMb: number; cpuMs: number }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const last = { peakMb: Number.NaN, cpuMs: Number.NaN };
  const timer = setInterval(() => look(child.pid ?? 0, last), 20);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  return last;
}

function look(pid: number, last: { peakMb: number; cpuMs: number }): void {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (peak === undefined) return;
    last.peakMb = Number(peak) / 1024;
    last.cpuMs = (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    // It has just ended, or this is no Linux.
  }
}
