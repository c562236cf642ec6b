/** What the rules of alerts need to know of this machine: measured, with no rule in it. */
import { stat, statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from './clock.ts';

/** Resolution of the delay's clock, milliseconds: it is part of every delay that it shows. */
const RESOLUTION_MS = 20;
/** Long enough that one slow moment is not one turn in a hundred. */
const WINDOW_MS = 60_000;

/** How late the event loop is, by windows of a minute. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #since = systemClock.mono();
  #last: number | null = null;

  constructor() {
    this.#histogram.enable();
  }

  /** One turn in a hundred of the last whole window was later, milliseconds; null before the first is over. */
  get p99(): number | null {
    const now = systemClock.mono();
    if (now - this.#since >= WINDOW_MS) {
      this.#last = Math.max(0, this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS);
      this.#histogram.reset();
      this.#since = now;
    }
    return this.#last;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** Bytes of the disk that holds the home; null when it cannot be asked. */
export async function diskOf(home: string): Promise<{ free: number; total: number } | null> {
  const found = await statfs(home).catch(() => null);
  return found === null ? null : { free: found.bavail * found.bsize, total: found.blocks * found.bsize };
}

/** Bytes of the store's write-ahead log; null when there is none. */
export async function walOf(database: string): Promise<number | null> {
  return (await stat(`${database}-wal`).catch(() => null))?.size ?? null;
}
