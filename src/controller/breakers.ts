/**
 * What a controller does about a part of itself that goes on failing. Each effect is tried again by itself, with a growing
 * back-off; this counts the failures in a row of the part that performs them, whichever effect it was:
 *
 *   3      it is degraded: a person is told once
 *   10     it is started anew, and again after each further ten, at most three times
 *   40     safe mode: no new work starts for what depends on it, and what is done is still collected, gated and landed as
 *          far as it can be. A person is told once
 *
 * One success ends all that. A node that does not answer and a remote that is down are no part of the controller: links
 * and leases see to them. A defect that leaves the state in doubt is not counted at all: it ends the process.
 */
import type { ProjectName } from '../model/ids.ts';
import type { Effect, Input } from './door.ts';
import type { Note } from './note.ts';

const DEGRADED = 3;
const RESTART = 10;
const MOST_RESTARTS = 3;

export interface BreakersOptions {
  readonly onNote: (note: Note) => void;
  /** Starts the part anew: the hub of a project, or all that orders are made from (null). */
  readonly restart: (project: ProjectName | null) => void;
  /** No new work starts for the project (null: for any), or it may again. */
  readonly safe: (project: ProjectName | null, on: boolean) => void;
}

export class Breakers {
  readonly #options: BreakersOptions;
  readonly #failures = new Map<string, number>();

  constructor(options: BreakersOptions) {
    this.#options = options;
  }

  /** Counts how an effect went. */
  heard(effect: Effect, input: Input): void {
    // Of what goes to nodes only a start is made of more than its own words.
    if (effect.do === 'cancel' || effect.do === 'forget' || effect.do === 'mend') return;
    const project = 'project' in effect ? effect.project : null;
    const name = project === null ? 'orders' : `the hub of ${project}`;
    if (input.is !== 'effect.failed') return this.#works(name, project);
    if (isElsewhere(input.problem.code)) return;
    const failures = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, failures);
    this.#act(name, project, failures, input.problem.message);
  }

  #act(name: string, project: ProjectName | null, failures: number, why: string): void {
    const { restart, safe } = this.#options;
    if (failures === DEGRADED)
      return this.#tell(name, 'E_DEGRADED', `failed ${failures} times in a row, and is tried on: ${why}`);
    if (failures === RESTART * (MOST_RESTARTS + 1)) {
      safe(project, true);
      const what = project === null ? 'no new work starts' : `no new work of ${project} starts`;
      return this.#tell(name, 'E_SAFE_MODE', `failed ${failures} times in a row: ${what}: ${why}`);
    }
    if (failures % RESTART === 0 && failures < RESTART * (MOST_RESTARTS + 1)) restart(project);
  }

  #works(name: string, project: ProjectName | null): void {
    const failures = this.#failures.get(name) ?? 0;
    if (failures === 0) return;
    this.#failures.delete(name);
    if (failures >= RESTART * (MOST_RESTARTS + 1)) this.#options.safe(project, false);
    if (failures >= DEGRADED) this.#tell(name, null, 'works again');
  }

  #tell(name: string, code: Note['code'], message: string): void {
    const fix = code === null ? null : 'dispatch doctor';
    this.#options.onNote({ about: 'component', name, code, message, fix });
  }
}

/** Said by a node or by the user's repository. */
function isElsewhere(code: string): boolean {
  return /^E_(?:NODE|REPO|HOST|SSH|TARGET)_/u.test(code);
}
