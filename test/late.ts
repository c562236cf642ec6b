/**
 * A deadline that is over when what it ends has begun, however long that takes: tests give no process "time enough to
 * have started", and wait for no deadline.
 */
import { vi } from 'vitest';

/** Begins the work, and lets the timers that it has set by the time the condition holds run for so many milliseconds. */
export async function lateWhen<T>(holds: () => boolean, ms: number, work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let working: Promise<T>;
  try {
    working = work();
    working.catch(() => undefined);
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(ms);
  } finally {
    vi.useRealTimers();
  }
  return await working;
}
