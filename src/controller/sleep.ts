/**
 * Has this machine slept, or this process been stopped, since we looked last? There are two signs, and each system shows
 * one of them: the wall clock runs ahead of a monotonic clock that stands still in sleep (Linux), or the look itself
 * comes far too late on a clock that does not (macOS, SIGSTOP). A clock that was set forward looks like the first; what
 * follows from it is harmless. Pure: clocks come in as readings.
 */
export interface Moment {
  /** Wall clock and monotonic clock, milliseconds. */
  readonly wall: number;
  readonly mono: number;
}

/** Between two looks, milliseconds. */
export const LOOK_EVERY_MS = 1000;
/** Shorter than this, connections do not notice; a busy machine is late by less. */
const SLEPT_MS = 5000;

/**
 * Milliseconds between two looks through which this process was awake for certain: what somebody else is charged for by
 * the clock. By the monotonic clock, and no more than one interval: a look that comes late tells of sleep, or of a
 * machine too busy to have read what had arrived.
 */
export function awakeBetween(before: Moment, now: Moment, everyMs: number = LOOK_EVERY_MS): number {
  return Math.max(0, Math.min(everyMs, now.mono - before.mono));
}

/** Milliseconds slept between two looks; null when it was awake. */
export function sleptBetween(before: Moment, now: Moment): number | null {
  const wall = now.wall - before.wall;
  const mono = now.mono - before.mono;
  const stoodStill = Math.max(0, wall - mono);
  const late = Math.max(0, mono - LOOK_EVERY_MS);
  const slept = stoodStill + late;
  return slept >= SLEPT_MS ? slept : null;
}
