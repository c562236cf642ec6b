/** The period cut into short spans, for charts. */
import type { Bucket } from './model.ts';
import type { Piece } from './slots.ts';
import type { Span } from './window.ts';

interface Filling {
  used: number;
  available: number;
  merged: number;
  bad: number;
  readonly spent: Map<string, { tokens: number; costUsd: number }>;
}

export class Buckets {
  readonly #span: Span;
  readonly #ms: number;
  readonly #fillings: Filling[];

  /** @param ms length of each; the last one may be shorter. */
  constructor(span: Span, ms: number) {
    this.#span = span;
    this.#ms = ms;
    const count = Math.ceil((span.to - span.from) / ms);
    this.#fillings = Array.from({ length: count }, () => ({
      used: 0,
      available: 0,
      merged: 0,
      bad: 0,
      spent: new Map(),
    }));
  }

  spend({ from, to, used, available }: Piece): void {
    const [start, end] = [Math.max(from, this.#span.from), Math.min(to, this.#span.to)];
    for (let at = start; at < end; ) {
      const index = this.#index(at);
      const next = Math.min(end, this.#span.from + (index + 1) * this.#ms);
      const filling = this.#fillings[index];
      if (filling === undefined) return;
      filling.used += used * (next - at);
      filling.available += available * (next - at);
      at = next;
    }
  }

  merged(at: number): void {
    const filling = this.#fillings[this.#index(at)];
    if (filling !== undefined) filling.merged += 1;
  }

  bad(at: number): void {
    const filling = this.#fillings[this.#index(at)];
    if (filling !== undefined) filling.bad += 1;
  }

  spent(at: number, executor: string, tokens: number, costUsd: number): void {
    const spent = this.#fillings[this.#index(at)]?.spent;
    const before = spent?.get(executor) ?? { tokens: 0, costUsd: 0 };
    spent?.set(executor, { tokens: before.tokens + tokens, costUsd: before.costUsd + costUsd });
  }

  list(): Bucket[] {
    return this.#fillings.map(({ used, available, merged, bad, spent }, index) => {
      const from = this.#span.from + index * this.#ms;
      const to = Math.min(this.#span.to, from + this.#ms);
      const by = [...spent].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return { from, to, usedMs: used, availableMs: available, merged, bad, spent: Object.fromEntries(by) };
    });
  }

  #index(at: number): number {
    return Math.floor((at - this.#span.from) / this.#ms);
  }
}
