/**
 * How time passes in a simulated home: a day and a night in which work keeps coming, takes minutes to hours, and is
 * befallen by something every hour or so; and storms of a few minutes, in which as much happens as else in half a day,
 * because most of what can go wrong goes wrong when two things meet.
 */
import type { Rng } from './rng.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** How much faster accidents follow each other in a storm. */
const FURY = 150;

/** From when to when, virtual milliseconds. */
export interface Storm {
  readonly from: number;
  readonly until: number;
}

/** When the work of a seed comes in: always at the beginning, and up to four times later in the day. First is 0. */
export function drawArrivals(rng: Rng, dayMs: number): readonly number[] {
  const later = Array.from({ length: rng.between(2, 4) }, () => rng.int(dayMs - HOUR));
  return [0, ...later.toSorted((a, b) => a - b)];
}

/** Where work arrives there may be a storm, so that it finds something to blow at. Never two at one time. */
export function drawStorms(rng: Rng, arrivals: readonly number[]): readonly Storm[] {
  const storms: Storm[] = [];
  for (const arrival of arrivals) {
    const from = arrival + rng.int(10 * SECOND);
    const until = from + rng.between(MINUTE, 6 * MINUTE);
    if (rng.chance(0.5) && from >= (storms.at(-1)?.until ?? 0)) storms.push({ from, until });
  }
  return storms;
}

/** When a span is over that began now, of a clock that runs faster in storms. Milliseconds from now. */
export function weathered(storms: readonly Storm[], now: number, span: number): number {
  let [at, left] = [now, span];
  for (const { from, until } of storms) {
    if (until <= at) continue;
    const calm = Math.max(0, from - at);
    if (left <= calm) break;
    left -= calm;
    at = Math.max(at, from);
    if (left <= (until - at) * FURY) return at + left / FURY - now;
    left -= (until - at) * FURY;
    at = until;
  }
  return at + left - now;
}

/** How long agents work on a task, shortest and longest, milliseconds. */
export type Size = readonly [shortest: number, longest: number];

const QUICK: Size = [200, 40 * SECOND];
const USUAL: Size = [5 * MINUTE, 90 * MINUTE];
const LONG: Size = [90 * MINUTE, 6 * HOUR];

/** @param quick the share of chores that take seconds. */
export function drawSize(rng: Rng, quick: number): Size {
  if (rng.chance(quick)) return QUICK;
  return rng.pick([USUAL, LONG, LONG]);
}
