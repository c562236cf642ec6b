/** What is counted for any span of time as events go by; the attempts themselves are looked at in the end. */
import type { State } from '../../model/state.ts';
import type { Attempt } from '../../model/attempt.ts';
import { tokensOf } from '../attempts.ts';
import { firstRounds } from './first-rounds.ts';
import type { Measures } from './model.ts';
import type { Price } from './money.ts';
import { Acts } from './person.ts';
import type { Piece } from './slots.ts';
import { median, quantile } from './order-statistics.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

export class Window {
  readonly from: number;
  readonly to: number;
  readonly acts = new Acts();
  /** From the spec's arrival to the merge. */
  readonly took: number[] = [];
  reverted = 0;
  failed = 0;
  refusals = 0;
  #usedMs = 0;
  #availableMs = 0;

  constructor({ from, to }: Span) {
    this.from = from;
    this.to = to;
  }

  has(at: number): boolean {
    return at >= this.from && at < this.to;
  }

  spend({ from, to, used, available }: Piece): void {
    const ms = Math.min(to, this.to) - Math.max(from, this.from);
    if (ms <= 0) return;
    this.#usedMs += ms * used;
    this.#availableMs += ms * available;
  }

  /** @param days how many days it stands for. */
  measures(state: State, price: Price, days = 1): Measures {
    const ended = endedIn(state, this);
    const { minutes, acts } = this.acts.sum();
    const took = this.took.toSorted((a, b) => a - b);
    return {
      merged: took.length,
      days,
      reverted: this.reverted,
      failed: this.failed,
      refusals: this.refusals,
      usedMs: this.#usedMs,
      availableMs: this.#availableMs,
      firstRound: firstRounds(ended),
      specToMerge:
        took.length === 0 ? null : { median: median(took), p90: quantile(took, 0.9), of: took.length },
      personMinutes: minutes,
      acts: acts.reduce((sum, { count }) => sum + count, 0),
      tokens: tokensOf(ended, pricedBy(state, price)),
    };
  }
}

/** Work attempts that ended, or were given up, within the span. */
export function endedIn(state: State, { from, to }: Span): Attempt[] {
  return [...state.attempts.values()].filter(({ work, phase }) => {
    if (work.kind !== 'work' || (phase.is !== 'ended' && phase.is !== 'fenced')) return false;
    return phase.at >= from && phase.at < to;
  });
}

/** Which executor an attempt ran with. */
export function executorOf({ executor, task }: Attempt, state: State): string {
  return executor ?? state.tasks.get(task)?.spec.executor ?? 'unknown';
}

export function pricedBy(state: State, price: Price): Parameters<typeof tokensOf>[1] {
  return (attempt, usage) => price(executorOf(attempt, state), usage);
}
