/**
 * Tidies hubs while nothing is to be done: a minute after the last effect, and only until the next one comes, which ends
 * a tidying that is under way. What was ended is begun again at the next quiet minute.
 */
import type { Hub } from '../git/hub.ts';

/** How long it must be quiet, milliseconds. */
const QUIET_MS = 60_000;

export class HubCare {
  readonly #hubs: () => Promise<readonly Pick<Hub, 'tidy'>[]>;
  readonly #quietMs: number;
  #atWork = 0;
  #timer: NodeJS.Timeout | null = null;
  #stop = new AbortController();
  #tidying: Promise<void> = Promise.resolve();
  #over = false;

  constructor(hubs: () => Promise<readonly Pick<Hub, 'tidy'>[]>, quietMs = QUIET_MS) {
    this.#hubs = hubs;
    this.#quietMs = quietMs;
  }

  /** Runs work for which hubs are left alone. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#atWork += 1;
    this.#hold();
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
      this.#await();
    }
  }

  /** Settles when no git of it is left. */
  async stop(): Promise<void> {
    this.#over = true;
    this.#hold();
    await this.#tidying;
  }

  #hold(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop.abort();
  }

  #await(): void {
    if (this.#over || this.#atWork > 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#stop = new AbortController();
      const { signal } = this.#stop;
      this.#tidying = this.#tidying.then(() => this.#tidyAll(signal));
    }, this.#quietMs);
    this.#timer.unref();
  }

  async #tidyAll(signal: AbortSignal): Promise<void> {
    // A hub that cannot be tidied works as before, and whoever uses it is told what is wrong with it.
    const hubs = await this.#hubs().catch(() => []);
    for (const hub of hubs) if (!signal.aborted) await hub.tidy(signal).catch(() => undefined);
  }
}
