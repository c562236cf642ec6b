/**
 * Who holds which paths. A task holds its `modifies` from its first claim until it has merged or was given up; the
 * tasks that one call of `decide` starts hold theirs at once. Locks of different projects never meet.
 */
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import { lockPatterns } from '../plan/plan.ts';
import { PatternIndex } from '../plan/pattern-index.ts';

export interface HeldLock {
  readonly holder: TaskKey;
  /** A path that both may touch. */
  readonly path: string;
}

export class Locks {
  private readonly state: State;
  private readonly held = new Map<ProjectName, PatternIndex<TaskKey>>();
  private indexed = false;

  constructor(state: State) {
    this.state = state;
  }

  /** The lock of another task that this one would meet; null when its paths are free. */
  against(task: Task): HeldLock | null {
    this.index();
    const held = this.held.get(task.spec.project);
    const met = held?.meeting(this.patterns(task), task.key) ?? null;
    return met === null ? null : { holder: met.key, path: met.path };
  }

  /** The task holds its paths from now on. */
  hold(task: Task): void {
    this.index();
    if (!task.locked) this.add(task);
  }

  /** Built on first use: most calls of `decide` have nothing free and never look. */
  private index(): void {
    if (this.indexed) return;
    this.indexed = true;
    for (const key of this.state.locked) {
      const task = this.state.tasks.get(key);
      if (task !== undefined) this.add(task);
    }
  }

  private add(task: Task): void {
    const { project } = task.spec;
    const held = this.held.get(project) ?? new PatternIndex<TaskKey>();
    this.held.set(project, held);
    held.add(task.key, this.patterns(task));
  }

  private patterns(task: Task): readonly string[] {
    const config = this.state.projects.get(task.spec.project)?.config;
    return config === undefined ? [] : lockPatterns(task.spec, config);
  }
}
