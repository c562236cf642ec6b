/** Runs one seed, and prints what it did. */
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { Only } from './faults.ts';
import type { Shrunk } from './shrink.ts';
import { type Outcome, Simulation } from './simulation.ts';

export interface RunOptions {
  /** The faults and the tasks that it may have; everything by default. */
  readonly only?: Only;
  /** Breaks something first, to see it found. */
  readonly plant?: (sim: Simulation) => void;
}

/** One seed from beginning to end, on a store of its own. */
export async function simulate(seed: number, { only = null, plant }: RunOptions = {}): Promise<Outcome> {
  const store = await openSqliteStore(':memory:');
  const sim = new Simulation(seed, store, only);
  try {
    plant?.(sim);
    return await sim.run();
  } finally {
    await sim.store.close();
  }
}

/** The line of a seed: what it was, and its digest. */
export function summaryOf({ seed, steps, elapsed, worked, digest }: Outcome): string {
  const hours = (elapsed / 3_600_000).toFixed(1);
  const share = Math.round((100 * worked) / Math.max(1, elapsed));
  return `seed ${seed}: ${steps} steps, ${hours} h of virtual time (${share} % with work in it), digest ${digest.slice(0, 16)}`;
}

/** What a person needs to look into a seed that failed, and to see it fail again. */
export function describe(outcome: Outcome, only: readonly string[] | null = null): string {
  if (outcome.violations.length === 0) return `${summaryOf(outcome)}\n  everything held`;
  return [
    summaryOf(outcome),
    ...outcome.violations.slice(0, 10).map((violation) => `  violated: ${violation}`),
    '  what went wrong on purpose:',
    ...outcome.struck.map(({ id, at, what }) => `    ${clockOf(at)}  ${id}${what === '' ? '' : `  ${what}`}`),
    '  last steps:',
    ...outcome.trace.map((line) => `    ${line.length > 1000 ? `${line.slice(0, 1000)}…` : line}`),
    `  again: ${againOf(outcome.seed, only)}`,
  ].join('\n');
}

/** The same for the smallest run that was found to fail in the same way. */
export function describeShrunk(failed: Outcome, { only, outcome, runs }: Shrunk): string {
  return [
    `${summaryOf(failed)}; fails with ${failed.struck.length} faults and ${failed.tasks.length} tasks: ${againOf(failed.seed, null)}`,
    `  ${runs} runs later: ${outcome.struck.length} faults and ${outcome.tasks.length} tasks are enough`,
    describe(outcome, only),
  ].join('\n');
}

export function againOf(seed: number, only: readonly string[] | null): string {
  if (only === null) return `dispatch sim --seed ${seed}`;
  return `dispatch sim --seed ${seed} --only '${only.length === 0 ? NOTHING : only.join(',')}'`;
}

/** What `--only` says when no fault is wanted at all. */
const NOTHING = 'none';

/** The ids that `--only` names. */
export function onlyOf(text: string | undefined): Only {
  if (text === undefined) return null;
  return new Set(
    text.split(',').flatMap((id) => (id.trim() === '' || id.trim() === NOTHING ? [] : id.trim())),
  );
}

/** `1:02:03.004` into the run. */
function clockOf(at: number): string {
  const [hours, minutes, seconds] = [at / 3_600_000, (at / 60_000) % 60, (at / 1000) % 60].map(Math.floor);
  const two = (figure = 0): string => String(figure).padStart(2, '0');
  return `${hours}:${two(minutes)}:${two(seconds)}.${String(at % 1000).padStart(3, '0')}`;
}
