/** What `dispatch sim` does: seeds on all cores, or one of them, and the smallest failing run of what fails. */
import { execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulatedFailure, SimulatedSeeds, Simulator } from '../../src/cli/simulator.ts';
import { neverDrawn } from './kinds.ts';
import { againOf, describe, describeShrunk, onlyOf, simulate } from './run.ts';
import type { Share } from './share.ts';
import { shrink } from './shrink.ts';
import { add, empty, type Tally } from './tally.ts';

/** So many of the seeds that failed are made smaller; the others are named. */
const SHRUNK_AT_MOST = 3;
/** Most of what a seed makes is garbage at once: with more room for the young it is collected more cheaply. MiB. */
const YOUNG_MIB = 32;

/** Put in by the build; absent when the sources run directly. */
declare const __DISPATCH_COMMIT__: string | undefined;

export const simulator: Simulator = {
  async many({ from, seeds }) {
    const began = performance.now();
    const cores = Math.max(1, Math.min(availableParallelism(), seeds));
    const shares = sharesOf(from, seeds, cores);
    const tallies = await Promise.all(Array.from({ length: cores }, () => runShares(shares)));
    const tally = tallies.reduce(add, empty());
    const failures: SimulatedFailure[] = [];
    for (const seed of tally.failed.slice(0, SHRUNK_AT_MOST)) failures.push(await failureOf(seed));
    return reportOf(tally, { from, cores, seconds: (performance.now() - began) / 1000, failures });
  },
  async one({ seed, only: named }) {
    const only = onlyOf(named);
    const outcome = await simulate(seed, { only });
    const { digest, violations, elapsed, worked, steps, struck } = outcome;
    const failed = violations.length > 0;
    const { text, again } =
      failed && only === null
        ? await failureOf(seed)
        : {
            text: describe(outcome, only === null ? null : [...only]),
            again: againOf(seed, only === null ? null : [...only]),
          };
    const came = new Set([...struck.map(({ id }) => id), ...outcome.tasks]);
    const missed = [...(only ?? [])].filter((id) => !came.has(id));
    return {
      seed,
      commit: commit(),
      digest,
      violations,
      elapsed,
      worked,
      steps,
      struck,
      missed,
      text,
      again,
    };
  },
};

async function failureOf(seed: number): Promise<SimulatedFailure> {
  const failed = await simulate(seed);
  const shrunk = await shrink(failed, (only) => simulate(seed, { only }));
  const { only, outcome } = shrunk;
  return {
    seed,
    violations: failed.violations,
    only,
    digest: outcome.digest,
    again: againOf(seed, only),
    text: describeShrunk(failed, shrunk),
  };
}

/** Few enough seeds that no core is left alone with more than seconds of work. */
const SHARE = 25;

/** Seeds in parts, to be taken one after the other by whoever is free. */
function* sharesOf(from: number, seeds: number, cores: number): Generator<Share> {
  const most = Math.max(1, Math.min(SHARE, Math.ceil(seeds / cores)));
  for (let done = 0; done < seeds; done += most)
    yield { from: from + done, count: Math.min(most, seeds - done) };
}

/** A process that takes shares until there is none left. */
function runShares(shares: Generator<Share>): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const execArgv = [...process.execArgv, `--max-semi-space-size=${YOUNG_MIB}`];
    const child = fork(shareFile(), { execArgv });
    let tally = empty();
    let over = false;
    const next = (): void => {
      const { value: share } = shares.next();
      over = share === undefined;
      if (share === undefined) child.disconnect();
      else child.send(share);
    };
    child.on('message', (message) => {
      tally = add(tally, message as Tally);
      next();
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0 && over) resolve(tally);
      else reject(new Error(`a simulating process ended with ${code}`));
    });
    next();
  });
}

/** Beside this file, built or not. */
function shareFile(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const built = join(here, 'sim-share.js');
  return existsSync(built) ? built : join(here, 'share.ts');
}

function reportOf(
  tally: Tally,
  run: { from: number; cores: number; seconds: number; failures: readonly SimulatedFailure[] },
): SimulatedSeeds {
  const cpu = tally.cpuMs.toSorted((a, b) => a - b);
  const [median = 0, slowest = 0] = [cpu[cpu.length >> 1], cpu.at(-1)];
  const { seeds, steps, events, ends, failed } = tally;
  const report = {
    from: run.from,
    seeds,
    steps,
    events,
    ends,
    faults: tally.faults,
    never: neverDrawn(tally.faults, seeds),
    failed,
    commit: commit(),
    failures: run.failures,
    virtualHours: tally.elapsed / 3_600_000,
    workedShare: tally.worked / Math.max(1, tally.elapsed),
    cpuSeconds: cpu.reduce((sum, ms) => sum + ms, 0) / 1000,
    cpuMsMedian: median,
    cpuMsMost: slowest,
    seconds: run.seconds,
    cores: run.cores,
  };
  return { ...report, text: textOf(report) };
}

function textOf(report: Omit<SimulatedSeeds, 'text'>): string {
  const { from, seeds, steps, events, virtualHours, workedShare, cpuSeconds, seconds, cores } = report;
  const lines = [
    `seeds ${from} to ${from + seeds - 1} at ${report.commit}: ${steps} steps, ${events} events`,
    `${virtualHours.toFixed(0)} h of virtual time (${Math.round(100 * workedShare)} % with work in it) in ${seconds.toFixed(1)} s on ${cores} cores`,
    `${cpuSeconds.toFixed(1)} s of processor time: ${report.cpuMsMedian.toFixed(0)} ms a seed at the median, ${report.cpuMsMost.toFixed(0)} at most`,
    `tasks ended: ${Object.entries(report.ends)
      .map(([end, n]) => `${n} ${end}`)
      .join(', ')}`,
  ];
  const kinds = Object.entries(report.faults).toSorted(([, a], [, b]) => b - a);
  lines.push(`faults: ${kinds.map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
  if (report.never.length > 0) lines.push(`NEVER CAME UP: ${report.never.join(', ')}`);
  if (report.failed.length > 0)
    lines.push(`FAILED: ${report.failed.length} seeds: ${report.failed.join(' ')}`);
  else lines.push('everything held');
  return [...lines, ...report.failures.map(({ text }) => text)].join('\n');
}

/** Of the sources that run, and whether they are as committed. */
function commit(): string {
  if (typeof __DISPATCH_COMMIT__ === 'string') return __DISPATCH_COMMIT__;
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: dirname(fileURLToPath(import.meta.url)), encoding: 'utf8' }).trim();
  return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' (changed since)'}`;
}
