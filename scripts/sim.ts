/**
 * `make sim`: seeds through the simulator, on all cores.
 *
 *   tsx scripts/sim.ts                     1,000 seeds from 1 on
 *   tsx scripts/sim.ts --seeds 200 --from 5000
 *   tsx scripts/sim.ts --seed 4711         one seed, with its last steps
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describe, simulate } from '../test/sim/run.ts';
import type { Outcome } from '../test/sim/simulation.ts';

interface Tally {
  seeds: number;
  steps: number;
  events: number;
  elapsed: number;
  ends: Record<string, number>;
  failed: number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      /** This process is one of several and takes every n-th seed: `i/n`. */
      share: { type: 'string' },
    },
  });
  if (values.seed !== undefined) {
    const outcome = await simulate(Number(values.seed));
    console.log(describe(outcome));
    process.exitCode = outcome.violations.length === 0 ? 0 : 1;
    return;
  }
  const [from, count] = [Number(values.from), Number(values.seeds)];
  if (values.share === undefined) await runAll(from, count);
  else await runShare(from, count, values.share);
}

async function runAll(from: number, count: number): Promise<void> {
  const began = performance.now();
  const cores = Math.min(availableParallelism(), count);
  const tallies = await Promise.all(
    Array.from({ length: cores }, (_, i) => runProcess(from, count, `${i}/${cores}`)),
  );
  const total = tallies.reduce((sum, tally) => add(sum, tally), empty());
  const seconds = (performance.now() - began) / 1000;
  const hours = total.elapsed / 3_600_000;
  console.log(
    `${total.seeds} seeds, ${total.steps} steps, ${total.events} events, ${hours.toFixed(0)} h of virtual time in ${seconds.toFixed(1)} s on ${cores} cores`,
  );
  console.log(
    `tasks ended: ${Object.entries(total.ends)
      .map(([end, n]) => `${n} ${end}`)
      .join(', ')}`,
  );
  if (total.failed.length === 0) return;
  console.log(`FAILED: ${total.failed.length} seeds: ${total.failed.toSorted((a, b) => a - b).join(' ')}`);
  process.exitCode = 1;
}

function runProcess(from: number, count: number, share: string): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const args = ['--from', String(from), '--seeds', String(count), '--share', share];
    const child = fork(fileURLToPath(import.meta.url), args);
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

async function runShare(from: number, count: number, share: string): Promise<void> {
  const [mine, of] = share.split('/').map(Number);
  let tally = empty();
  for (let seed = from; seed < from + count; seed++) {
    if (seed % (of ?? 1) !== mine) continue;
    const outcome = await simulate(seed);
    tally = add(tally, tallyOf(outcome));
    if (outcome.violations.length > 0) console.log(describe(outcome));
  }
  process.send?.(tally);
}

function empty(): Tally {
  return { seeds: 0, steps: 0, events: 0, elapsed: 0, ends: {}, failed: [] };
}

function tallyOf({ seed, steps, events, elapsed, ends, violations }: Outcome): Tally {
  return { seeds: 1, steps, events, elapsed, ends, failed: violations.length > 0 ? [seed] : [] };
}

function add(a: Tally, b: Tally): Tally {
  const ends = { ...a.ends };
  for (const [end, n] of Object.entries(b.ends)) ends[end] = (ends[end] ?? 0) + n;
  return {
    seeds: a.seeds + b.seeds,
    steps: a.steps + b.steps,
    events: a.events + b.events,
    elapsed: a.elapsed + b.elapsed,
    ends,
    failed: [...a.failed, ...b.failed],
  };
}

await main();
