/**
 * What a controller does about a part of itself that goes on failing. Each effect is tried again by itself, with a growing
 * back-off; this counts the failures in a row of the part that performs them, whichever effect it was:
 *
 *   3      it is degraded: a person is told once
 *   10     it is started anew, and again after each further ten, at most three times
 *   40     safe mode: no new work starts for what depends on it, and what is done is still collected, gated and landed as
 *          far as it can be. A person is told once, and by an alert
 *
 * One success ends all that. Safe mode may leave nothing that could succeed, so new work is let through again every ten
 * minutes: one more failure shuts the door again. A node that does not answer and a remote that is down are no part of the
 * controller: links and leases see to them. Nor is what the state refuses counted here: it is put aside (see `unfit`).
 */
import type { ProjectName } from '../model/ids.ts';
import type { SafeMode } from '../schedule/safe-mode.ts';
import type { Effect, Input } from './door.ts';
import type { Note } from './note.ts';

/** Failures in a row after which a part is said to fail. */
export const DEGRADED = 3;
const RESTART = 10;
const MOST_RESTARTS = 3;
const SAFE = RESTART * (MOST_RESTARTS + 1);
/** How long safe mode keeps new work out before one more try, milliseconds. */
const LET_THROUGH_MS = 10 * 60_000;

export interface BreakersOptions {
  readonly onNote: (note: Note) => void;
  /** Starts the part anew: the hub of a project, or all that orders are made from (null). */
  readonly restart: (project: ProjectName | null) => void;
  /** No new work starts for the project (null: for any), and why; or it may again. */
  readonly safe: (project: ProjectName | null, on: SafeMode | null) => void;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  readonly letThroughMs?: number;
}

/** How a part is doing. */
export interface PartStanding {
  readonly project: ProjectName | null;
  readonly failures: number;
  /** In safe mode, also while new work is let through. */
  readonly safe: SafeMode | null;
  /** What it said last; null: it works. */
  readonly reason: string | null;
}

export class Breakers {
  readonly #options: BreakersOptions;
  readonly #parts = new Map<string, PartStanding>();
  readonly #doors = new Map<string, NodeJS.Timeout>();

  constructor(options: BreakersOptions) {
    this.#options = options;
  }

  /** Parts that did something since the start, by name. */
  get parts(): ReadonlyMap<string, PartStanding> {
    return this.#parts;
  }

  /** Counts how an effect went. */
  heard(effect: Effect, input: Input): void {
    // Of what goes to nodes only a start is made of more than its own words.
    if (effect.do === 'cancel' || effect.do === 'forget' || effect.do === 'mend') return;
    const project = 'project' in effect ? effect.project : null;
    const name = project === null ? 'orders' : `the hub of ${project}`;
    if (input.is !== 'effect.failed') return this.#works(name, project);
    if (isElsewhere(input.problem.code)) return;
    this.#fails(name, project, input.problem.message);
  }

  stop(): void {
    for (const timer of this.#doors.values()) clearTimeout(timer);
  }

  #fails(name: string, project: ProjectName | null, reason: string): void {
    const { restart, safe, now } = this.#options;
    const before = this.#parts.get(name);
    const failures = (before?.failures ?? 0) + 1;
    const mode = failures < SAFE ? null : { part: name, reason, since: before?.safe?.since ?? now() };
    this.#parts.set(name, { project, failures, reason, safe: mode });
    if (failures === DEGRADED)
      this.#tell(name, 'E_DEGRADED', `failed ${failures} times in a row, and is tried on: ${reason}`);
    if (mode === null) {
      if (failures % RESTART === 0) restart(project);
      return;
    }
    if (!this.#doors.has(name)) {
      safe(project, mode);
      this.#shut(name, project);
    }
    if (failures > SAFE) return;
    const what = project === null ? 'no new work starts' : `no new work of ${project} starts`;
    this.#tell(name, 'E_SAFE_MODE', `failed ${failures} times in a row: ${what}: ${reason}`);
  }

  #shut(name: string, project: ProjectName | null): void {
    const open = (): void => {
      this.#doors.delete(name);
      this.#options.safe(project, null);
    };
    this.#doors.set(name, setTimeout(open, this.#options.letThroughMs ?? LET_THROUGH_MS).unref());
  }

  #works(name: string, project: ProjectName | null): void {
    const { failures = 0, safe = null } = this.#parts.get(name) ?? {};
    this.#parts.set(name, { project, failures: 0, reason: null, safe: null });
    if (safe !== null) {
      clearTimeout(this.#doors.get(name));
      this.#doors.delete(name);
      this.#options.safe(project, null);
    }
    if (failures >= DEGRADED) this.#tell(name, null, 'works again');
  }

  #tell(name: string, code: Note['code'], message: string): void {
    const fix = code === null ? null : 'dispatch doctor';
    this.#options.onNote({ about: 'component', name, code, message, fix });
  }
}

/** Said by a node or by the user's repository; or the disk is full, and each effect is tried until it is not. */
function isElsewhere(code: string): boolean {
  return code === 'E_NO_SPACE' || /^E_(?:NODE|REPO|HOST|SSH|TARGET)_/u.test(code);
}
