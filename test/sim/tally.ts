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
  /** How often each kind of fault came up. */
  readonly faults: Readonly<Record<string, number>>;
  readonly failed: readonly number[];
}

export function empty(): Tally {
  return {
    seeds: 0,
    steps: 0,
    events: 0,
    elapsed: 0,
    worked: 0,
    cpuMs: [],
    ends: {},
    faults: {},
    failed: [],
  };
}

export function tallyOf(outcome: Outcome, cpuMs: number): Tally {
  const { seed, steps, events, elapsed, worked, ends, violations, struck } = outcome;
  const faults: Record<string, number> = {};
  for (const { kind } of struck) faults[kind] = (faults[kind] ?? 0) + 1;
  const failed = violations.length > 0 ? [seed] : [];
  return { seeds: 1, steps, events, elapsed, worked, cpuMs: [cpuMs], ends, faults, failed };
}

export function add(a: Tally, b: Tally): Tally {
  return {
    seeds: a.seeds + b.seeds,
    steps: a.steps + b.steps,
    events: a.events + b.events,
    elapsed: a.elapsed + b.elapsed,
    worked: a.worked + b.worked,
    cpuMs: [...a.cpuMs, ...b.cpuMs],
    ends: sums(a.ends, b.ends),
    faults: sums(a.faults, b.faults),
    failed: [...a.failed, ...b.failed].toSorted((one, other) => one - other),
  };
}

function sums(a: Tally['ends'], b: Tally['ends']): Record<string, number> {
  const sum = { ...a };
  for (const [name, n] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}
