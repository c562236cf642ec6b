/**
 * What the charts of a page span: what happened, from round figure to round figure of the clock. A run of ten seconds on an
 * axis of a day is a hairline; one of eight hours is not the whole day, but reads best when the day is there around it.
 */
import type { Period } from '../../model/period.ts';
import type { Span } from './window.ts';

/** A part of the period, or all of it, that begins and ends at a mark. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  /** All of the period. */
  readonly isWhole: boolean;
  /** Between marks, and the length of a bar. */
  readonly markMs: number;
  readonly barMs: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Marks on an axis, at most. */
const MARKS = 8;
/** Distance of marks, and the length of a bar between them. The lengths of buckets (`BUCKET_MS`) divide those of bars. */
const STEPS = [
  [SECOND, SECOND],
  [2 * SECOND, SECOND],
  [5 * SECOND, SECOND],
  [10 * SECOND, 2 * SECOND],
  [15 * SECOND, 5 * SECOND],
  [30 * SECOND, 10 * SECOND],
  [MINUTE, 15 * SECOND],
  [2 * MINUTE, 30 * SECOND],
  [5 * MINUTE, MINUTE],
  [10 * MINUTE, 2 * MINUTE],
  [15 * MINUTE, 5 * MINUTE],
  [30 * MINUTE, 10 * MINUTE],
  [HOUR, 15 * MINUTE],
  [2 * HOUR, 30 * MINUTE],
] as const;

/** Bars of what is not fitted: a day by the hour, a week by the day; marks of a day are three hours apart. */
const WHOLE = { day: { markMs: 3 * HOUR, barMs: HOUR }, week: { markMs: DAY, barMs: DAY } } as const;

/** @param happened all that the charts of the period show; null: nothing. */
export function axisOf(period: Period, happened: Span | null): Axis {
  const { kind, from, to } = period;
  const whole: Axis = { from, to, isWhole: true, ...WHOLE[kind] };
  if (kind === 'week' || happened === null || happened.to - happened.from >= (to - from) / 2) return whole;
  for (const [markMs, barMs] of STEPS) {
    const start = from + Math.floor((happened.from - from) / markMs) * markMs;
    const end = from + Math.max(1, Math.ceil((happened.to - from) / markMs)) * markMs;
    const length = Math.max(markMs, end - start);
    if (length <= MARKS * markMs)
      return { from: start, to: Math.min(to, start + length), isWhole: false, markMs, barMs };
  }
  return whole;
}
