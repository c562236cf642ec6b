/**
 * Who holds which paths. A task holds its `modifies` from its first claim until it has merged or was given up; the
 * tasks that one call of `decide` starts hold theirs at once. Locks of different projects never meet.
 *
 * With 1,000 running tasks the index over what they hold takes milliseconds to build, and little of it changes between
 * two calls. So it is kept with the state it was built from and brought up to date at the start of a call: a memo, never
 * an input, since every entry is checked against the state before it is used.
 */
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import { lockPatterns } from '../plan/lock-patterns.ts';
import { type Meeting, PatternIndex } from '../plan/pattern-index.ts';

export interface HeldLock {
  readonly holder: TaskKey;
  /** A path that both may touch. */
  readonly path: string;
}

/** The locks as one call sees them: what the state holds, and what this call has given out. */
export class Locks {
  private readonly state: State;
  private held: HeldPaths | null = null;
  private readonly chosen = new Map<ProjectName, PatternIndex<TaskKey>>();

  constructor(state: State) {
    this.state = state;
  }

  /** The lock of another task that this one would meet; null when its paths are free. */
  against(task: Task): HeldLock | null {
    const patterns = patternsOf(task, this.state);
    if (patterns.length === 0) return null;
    // Brought up to date on first use: a call that has nothing to choose from never looks.
    this.held ??= heldPaths(this.state);
    const met =
      this.held.meeting(task, patterns) ??
      this.chosen.get(task.spec.project)?.meeting(patterns, task.key) ??
      null;
    return met === null ? null : { holder: met.key, path: met.path };
  }

  /** The task holds its paths for the rest of the call. */
  hold(task: Task): void {
    if (task.locked) return;
    const { project } = task.spec;
    const chosen = this.chosen.get(project) ?? new PatternIndex<TaskKey>();
    this.chosen.set(project, chosen);
    chosen.add(task.key, patternsOf(task, this.state));
  }
}

/** Which lock a task's patterns met when locks had changed so often. */
interface Answer {
  readonly of: readonly string[];
  readonly changes: number;
  readonly meeting: Meeting<TaskKey> | null;
}

/** What the locked tasks of a state hold, by project. */
class HeldPaths {
  readonly #byProject = new Map<ProjectName, PatternIndex<TaskKey>>();
  readonly #entries = new Map<TaskKey, { readonly spec: TaskSpec; readonly config: ProjectConfig }>();
  readonly #answers = new Map<TaskKey, Answer>();
  /** Of what is held, so far. */
  #changes = 0;

  /** @param patterns those of the task. A task that waits is asked for in every call, and most calls change no lock. */
  meeting({ key, spec }: Task, patterns: readonly string[]): Meeting<TaskKey> | null {
    const known = this.#answers.get(key);
    if (known !== undefined && known.of === patterns && known.changes === this.#changes) return known.meeting;
    const meeting = this.#byProject.get(spec.project)?.meeting(patterns, key) ?? null;
    this.#answers.set(key, { of: patterns, changes: this.#changes, meeting });
    return meeting;
  }

  /** Drops what is not held any more and adds what is new; an entry of another spec or configuration is both. */
  update(state: State): void {
    for (const [key, { spec, config }] of this.#entries) {
      const task = state.tasks.get(key);
      const same = task?.locked === true && task.spec === spec && configOf(task, state) === config;
      if (!same) this.#drop(key, spec.project);
    }
    for (const key of state.locked) {
      const task = this.#entries.has(key) ? undefined : state.tasks.get(key);
      if (task !== undefined) this.#add(task, state);
    }
  }

  #add(task: Task, state: State): void {
    const config = configOf(task, state);
    if (config === undefined) return;
    const { project } = task.spec;
    const index = this.#byProject.get(project) ?? new PatternIndex<TaskKey>();
    this.#byProject.set(project, index);
    index.add(task.key, patternsOf(task, state));
    this.#changes += 1;
    this.#entries.set(task.key, { spec: task.spec, config });
  }

  #drop(key: TaskKey, project: ProjectName): void {
    this.#byProject.get(project)?.remove(key);
    this.#changes += 1;
    this.#answers.delete(key);
    this.#entries.delete(key);
  }
}

const kept = new WeakMap<State, HeldPaths>();

/** The next look indexes anew. */
export function forgetHeldPaths(state: State): void {
  kept.delete(state);
}

function heldPaths(state: State): HeldPaths {
  const held = kept.get(state) ?? new HeldPaths();
  kept.set(state, held);
  held.update(state);
  return held;
}

function patternsOf(task: Task, state: State): readonly string[] {
  const config = configOf(task, state);
  return config === undefined ? [] : lockPatterns(task.spec, config);
}

function configOf(task: Task, state: State): ProjectConfig | undefined {
  return state.projects.get(task.spec.project)?.config;
}
