/** What many seeds came to, together. */
import type { Outcome } from './simulation.ts';

export interface Tally {
  readonly seeds: number;
  readonly steps: number;
  readonly events: number;
  /** Virtual milliseconds, and those of them in which something was at work. */
  readonly elapsed: number;
  readonly worked: number;
  /** Processor time of each seed, milliseconds, in no order. */
  readonly cpuMs: readonly number[];
  readonly ends: Readonly<Record<string, number>>;
  readonly failed: readonly number[];
}

export function empty(): Tally {
  return { seeds: 0, steps: 0, events: 0, elapsed: 0, worked: 0, cpuMs: [], ends: {}, failed: [] };
}

export function tallyOf(outcome: Outcome, cpuMs: number): Tally {
  const { seed, steps, events, elapsed, worked, ends, violations } = outcome;
  const failed = violations.length > 0 ? [seed] : [];
  return { seeds: 1, steps, events, elapsed, worked, cpuMs: [cpuMs], ends, failed };
}

export function add(a: Tally, b: Tally): Tally {
  const ends = { ...a.ends };
  for (const [end, n] of Object.entries(b.ends)) ends[end] = (ends[end] ?? 0) + n;
  return {
    seeds: a.seeds + b.seeds,
    steps: a.steps + b.steps,
    events: a.events + b.events,
    elapsed: a.elapsed + b.elapsed,
    worked: a.worked + b.worked,
    cpuMs: [...a.cpuMs, ...b.cpuMs],
    ends,
    failed: [...a.failed, ...b.failed].toSorted((one, other) => one - other),
  };
}
