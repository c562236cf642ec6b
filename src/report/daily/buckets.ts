/**
 * What happened in a period, cut into short spans for charts. They are as short as a chart of what happened can show: seconds
 * at first, longer and longer ones as more of the period turns out to be in use. So a log is read once, whatever it holds.
 */
import type { Bucket } from './model.ts';
import type { Period } from '../../model/period.ts';
import type { Piece } from './slots.ts';
import type { Span } from './window.ts';

interface Filling {
  used: number;
  available: number;
  merged: number;
  bad: number;
  readonly spent: Map<string, { tokens: number; costUsd: number }>;
}

const MINUTE = 60_000;
/** Lengths, each a multiple of the one before. */
const BUCKET_MS = [1000, 5000, 15_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE] as const;
/** How many of one length there may be, before they are joined to the next: a quarter of an hour each makes a day. */
const MOST = 120;

export class Buckets {
  readonly #period: Span;
  #level: number;
  #fillings = new Map<number, Filling>();
  #happened: Span | null = null;

  constructor(period: Period) {
    this.#period = period;
    // A week is looked at by the day: an hour is short enough.
    this.#level = period.kind === 'day' ? 0 : BUCKET_MS.length - 1;
  }

  /** From the first to the last of what was told; null: nothing was. */
  get happened(): Span | null {
    return this.#happened;
  }

  get ms(): number {
    return BUCKET_MS[this.#level] ?? 0;
  }

  spend({ from, to, used, available }: Piece): void {
    const [start, end] = [Math.max(from, this.#period.from), Math.min(to, this.#period.to)];
    if (start >= end || available === 0) return;
    this.#widen(start, end);
    for (let at = start; at < end; ) {
      const next = Math.min(end, this.#period.from + (this.#index(at) + 1) * this.ms);
      const filling = this.#filling(at);
      filling.used += used * (next - at);
      filling.available += available * (next - at);
      at = next;
    }
  }

  merged(at: number): void {
    this.#widen(at, at);
    this.#filling(at).merged += 1;
  }

  bad(at: number): void {
    this.#widen(at, at);
    this.#filling(at).bad += 1;
  }

  spent(at: number, executor: string, tokens: number, costUsd: number): void {
    this.#widen(at, at);
    add(this.#filling(at).spent, executor, { tokens, costUsd });
  }

  /** Those of a span that begins where one does, in order and without a gap; the last one may be shorter. */
  list({ from, to }: Span): Bucket[] {
    return Array.from({ length: Math.ceil((to - from) / this.ms) }, (_, index): Bucket => {
      const start = from + index * this.ms;
      const { used, available, merged, bad, spent } = this.#fillings.get(this.#index(start)) ?? empty();
      const by = [...spent].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return {
        from: start,
        to: Math.min(to, start + this.ms),
        usedMs: used,
        availableMs: available,
        merged,
        bad,
        spent: Object.fromEntries(by),
      };
    });
  }

  /** Joins buckets until there are not too many for all that happened. */
  #widen(from: number, to: number): void {
    const before = this.#happened ?? { from, to };
    const after = { from: Math.min(before.from, from), to: Math.max(before.to, to) };
    this.#happened = after;
    const count = (): number => this.#index(after.to) - this.#index(after.from) + 1;
    while (count() > MOST && this.#level < BUCKET_MS.length - 1) this.#join();
  }

  #join(): void {
    const factor = (BUCKET_MS[this.#level + 1] ?? 0) / this.ms;
    const joined = new Map<number, Filling>();
    for (const [index, filling] of this.#fillings) {
      const whole = Math.floor(index / factor);
      const sum = joined.get(whole) ?? empty();
      joined.set(whole, sum);
      sum.used += filling.used;
      sum.available += filling.available;
      sum.merged += filling.merged;
      sum.bad += filling.bad;
      for (const [executor, more] of filling.spent) add(sum.spent, executor, more);
    }
    this.#level += 1;
    this.#fillings = joined;
  }

  #filling(at: number): Filling {
    const index = this.#index(at);
    const known = this.#fillings.get(index);
    if (known !== undefined) return known;
    const fresh = empty();
    this.#fillings.set(index, fresh);
    return fresh;
  }

  #index(at: number): number {
    return Math.floor((at - this.#period.from) / this.ms);
  }
}

function add(spent: Filling['spent'], executor: string, more: { tokens: number; costUsd: number }): void {
  const { tokens, costUsd } = spent.get(executor) ?? { tokens: 0, costUsd: 0 };
  spent.set(executor, { tokens: tokens + more.tokens, costUsd: costUsd + more.costUsd });
}

function empty(): Filling {
  return { used: 0, available: 0, merged: 0, bad: 0, spent: new Map() };
}
