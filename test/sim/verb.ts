/** What `dispatch sim` does: seeds on all cores, or one of them, and the smallest failing run of what fails. */
import { execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulatedFailure, SimulatedSeeds, Simulator } from '../../src/cli/simulator.ts';
import { neverDrawn } from './kinds.ts';
import { againOf, describe, describeShrunk, onlyOf, simulate } from './run.ts';
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
    const shares = Array.from({ length: cores }, (_, mine) => runShare([from, seeds, mine, cores]));
    const tally = (await Promise.all(shares)).reduce(add, empty());
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

/** @param args first seed, how many, and which share of them: as `share.ts` takes them. */
function runShare(args: readonly number[]): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const execArgv = [...process.execArgv, `--max-semi-space-size=${YOUNG_MIB}`];
    const child = fork(shareFile(), args.map(String), { execArgv });
    let tally: Tally | null = null;
    child.on('message', (message) => {
      tally = message as Tally;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (tally === null) reject(new Error(`a simulating process ended with ${code}`));
      else resolve(tally);
    });
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
