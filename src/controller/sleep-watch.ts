import { systemClock } from './clock.ts';
import { LOOK_EVERY_MS, type Moment, sleptBetween } from './sleep.ts';

/** Looks at the clocks until the returned function is called. @param onWoke whole milliseconds slept. */
export function watchForSleep(onWoke: (sleptMs: number) => void): () => void {
  let before = reading();
  const timer = setInterval(() => {
    const now = reading();
    const sleptMs = sleptBetween(before, now);
    before = now;
    if (sleptMs !== null) onWoke(Math.round(sleptMs));
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

function reading(): Moment {
  return { wall: systemClock.wall(), mono: systemClock.mono() };
}
