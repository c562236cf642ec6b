/**
 * Everything that goes wrong on purpose passes through here and has an id: its kind, and which opportunity of that kind
 * it was. Whether a fault strikes is drawn at every opportunity, from the kind's own source, and only then it is asked
 * whether this run may have it. So leaving one out changes no other draw, and a run with some of its faults is a run
 * that can be named, repeated and made smaller: see `shrink.ts`.
 */
import type { TaskKey } from '../../src/model/ids.ts';
import { Rng } from './rng.ts';
import type { Accident } from './scenario.ts';

/** What a run may have, by its ids; null: everything. Faults have a `#` in their ids, and tasks are `project/task`. */
export type Only = ReadonlySet<string> | null;

/** What may befall a call, an effect, a gate, a commit or a turn. Accidents befall the world by themselves. */
export type Mishap =
  | 'lost-request'
  | 'lost-reply'
  | 'refused-start'
  | 'broken-gate'
  | 'flaky-gate'
  /** An effect on the hub that fails before it was done. */
  | 'undone'
  /** One that was done, and is reported as failed. */
  | 'unreported'
  /** A delivery of which only the first half was done. */
  | 'half-delivered'
  | 'no-space'
  /** A commit that breaks in the midst of its statements, or after it is durable. */
  | 'broken-commit'
  | 'death'
  | 'provider'
  /** A request, and all behind it on its line, arrives late. */
  | 'late'
  /** An answer that later ones overtake. */
  | 'overtaken'
  /** A request that arrives a second time, later, and perhaps behind another connection. */
  | 'duplicate'
  | 'refused-push'
  /** An agent does what none should. */
  | 'oddity';

export interface Struck {
  readonly id: string;
  /** Virtual milliseconds. */
  readonly at: number;
  readonly what: string;
  /** What the tally counts it as. */
  readonly kind: string;
}

interface Source {
  readonly rng: Rng;
  seen: number;
}

export class Faults {
  /** What has struck so far, in order. */
  readonly struck: Struck[] = [];
  readonly #seed: number;
  readonly #only: Only;
  readonly #tasks: Only;
  readonly #now: () => number;
  readonly #sources = new Map<Mishap, Source>();
  #over = false;

  constructor(seed: number, only: Only, now: () => number) {
    this.#seed = seed;
    this.#only = only;
    const tasks = [...(only ?? [])].filter((id) => !id.includes('#'));
    this.#tasks = tasks.length === 0 ? null : new Set(tasks);
    this.#now = now;
  }

  /** From now on nothing goes wrong any more. */
  end(): void {
    this.#over = true;
  }

  /**
   * An opportunity for a fault that strikes with this chance.
   * @param what where it strikes, for people.
   * @returns null: it does not strike; otherwise where its details are drawn from.
   */
  strikes(kind: Mishap, chance: number, what = ''): Rng | null {
    if (this.#over || chance === 0) return null;
    let source = this.#sources.get(kind);
    if (source === undefined) {
      source = { rng: Rng.of(this.#seed, kind), seen: 0 };
      this.#sources.set(kind, source);
    }
    source.seen += 1;
    return source.rng.chance(chance) ? this.#admit(`${kind}#${source.seen}`, what) : null;
  }

  /**
   * How the n-th accident of a kind comes about, and when: the same in every run of the seed. `admit` returns its place
   * in `struck`, or null.
   */
  accident(kind: Accident, n: number): { readonly rng: Rng; readonly admit: () => number | null } {
    const id = `${kind}#${n}`;
    const admit = (): number | null =>
      this.#over || this.#admit(id, '') === null ? null : this.struck.length - 1;
    return { rng: Rng.of(this.#seed, id), admit };
  }

  /** Says what a fault came to, for people and for the tally. @param place in `struck`; the last one by default. */
  specify(detail: string, place = this.struck.length - 1): void {
    const fault = this.struck[place];
    if (fault === undefined) return;
    const what = fault.what === '' ? detail : `${fault.what}: ${detail}`;
    this.struck[place] = { ...fault, what, kind: `${fault.kind} ${detail}` };
  }

  /** Whether this run may have a fault that is told by its own name, such as what an attempt comes to. */
  admits(id: string, what: string): boolean {
    return !this.#over && this.#admit(id, what) !== null;
  }

  /** Whether this run has the task; when no task is named it has all. */
  keeps(task: TaskKey): boolean {
    return this.#tasks?.has(task) ?? true;
  }

  #admit(id: string, what: string): Rng | null {
    if (this.#only !== null && !this.#only.has(id)) return null;
    this.struck.push({ id, at: this.#now(), what, kind: id.slice(0, id.search(/[#:]/u)) });
    return Rng.of(this.#seed, id);
  }
}
