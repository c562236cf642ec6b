/** How long the supervisor itself stood still: nobody was answered then, and no step's end was seen. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Between two looks of the histogram, milliseconds: what is shorter is no stall. */
const RESOLUTION_MS = 50;

export class Stalls {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delays.enable();
  }

  /** The longest since the last call, whole milliseconds. */
  longestMs(): number {
    const { max } = this.#delays;
    this.#delays.reset();
    return Math.max(0, Math.round(max / 1e6) - RESOLUTION_MS);
  }

  stop(): void {
    this.#delays.disable();
  }
}
