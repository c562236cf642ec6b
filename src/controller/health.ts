/**
 * How a controller and what it depends on are doing. `ready` is cheap and asked often by whatever supervises; `deep`
 * tries each dependency for real, each with a deadline of its own, side by side, so that one that hangs hides no other.
 * What deep checks found is kept for a moment: whoever asks in a loop costs no more than whoever asks once.
 */
import { systemClock } from './clock.ts';
import { checkNothingHangs } from './health-deadline.ts';

/** One thing that was tried. */
export interface HealthPart {
  readonly part:
    | 'store'
    | 'controller'
    | 'reconciled'
    | 'node'
    | 'hub'
    | 'component'
    | 'disk'
    | 'event-loop'
    | 'model'
    | 'invariants'
    | 'aside';
  /** Name of the node, project or model; null where there is but one. */
  readonly about: string | null;
  readonly ok: boolean;
  /** What was seen, in words. */
  readonly detail: string;
  /** How long it took, milliseconds. */
  readonly ms: number;
}

export interface HealthReport {
  readonly ok: boolean;
  /** Wall clock at which it was found, milliseconds. */
  readonly at: number;
  readonly parts: readonly HealthPart[];
}

/** A part that is to be tried. */
export interface HealthCheck extends Pick<HealthPart, 'part' | 'about'> {
  /** @returns what was seen. @throws what is wrong. */
  readonly look: (signal: AbortSignal) => Promise<string> | string;
}

export interface HealthDeskOptions {
  readonly ready: () => readonly HealthCheck[];
  readonly deep: () => Promise<readonly HealthCheck[]> | readonly HealthCheck[];
  /** Of each single check, milliseconds. */
  readonly deadlineMs?: number;
  /** How long deep findings are good for, milliseconds. */
  readonly keepMs?: number;
}

const DEADLINE_MS = 3000;
const KEEP_MS = 10_000;

export class HealthDesk {
  readonly #options: HealthDeskOptions;
  #deep: Promise<HealthReport> | null = null;
  #deepUntil = 0;

  constructor(options: HealthDeskOptions) {
    this.#options = options;
  }

  ready(): Promise<HealthReport> {
    return this.#try(this.#options.ready());
  }

  /** Everything; what was found lately is not tried again, and nobody tries twice at once. */
  deep(): Promise<HealthReport> {
    const now = systemClock.mono();
    if (this.#deep !== null && now < this.#deepUntil) return this.#deep;
    const trying = this.#tryAll();
    this.#deep = trying;
    this.#deepUntil = Number.POSITIVE_INFINITY;
    const keep = (): void => {
      this.#deepUntil = systemClock.mono() + (this.#options.keepMs ?? KEEP_MS);
    };
    void trying.then(keep, keep);
    return trying;
  }

  async #tryAll(): Promise<HealthReport> {
    const { ready, deep } = this.#options;
    return this.#try([...ready(), ...(await deep())]);
  }

  async #try(checks: readonly HealthCheck[]): Promise<HealthReport> {
    const parts = await Promise.all(checks.map((check) => this.#one(check)));
    return { ok: parts.every(({ ok }) => ok), at: systemClock.wall(), parts };
  }

  async #one({ part, about, look }: HealthCheck): Promise<HealthPart> {
    const from = systemClock.mono();
    const done = (ok: boolean, detail: string): HealthPart => {
      return { part, about, ok, detail, ms: Math.round(systemClock.mono() - from) };
    };
    try {
      return done(true, await checkNothingHangs(look, this.#options.deadlineMs ?? DEADLINE_MS));
    } catch (error) {
      return done(false, error instanceof Error ? error.message : String(error));
    }
  }
}
