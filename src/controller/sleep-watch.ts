import { systemClock } from './clock.ts';
import { awakeBetween, LOOK_EVERY_MS, type Moment, sleptBetween } from './sleep.ts';

export interface SleepWatch {
  /** @param sleptMs whole milliseconds. */
  readonly onWoke: (sleptMs: number) => void;
  /** The process was awake for so long since the last look. */
  readonly onAwake: (ms: number) => void;
}

/** Looks at the clocks until the returned function is called. */
export function watchForSleep({ onWoke, onAwake }: SleepWatch): () => void {
  let before = reading();
  const timer = setInterval(() => {
    const now = reading();
    const sleptMs = sleptBetween(before, now);
    const awakeMs = awakeBetween(before, now);
    before = now;
    if (sleptMs === null) onAwake(awakeMs);
    else onWoke(Math.round(sleptMs));
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

function reading(): Moment {
  return { wall: systemClock.wall(), mono: systemClock.mono() };
}
