/**
 * A branch that does not go together with what merged before it, or with what is about to merge. People and programs
 * know the number for it.
 */
import type { TaskId } from './ids.ts';

export const CONFLICT = 409;

/** A file on which the two sides went different ways. */
export interface Conflict {
  readonly path: string;
  /** Tasks on the other side that changed the path since the branch's base; none: it was changed outside of dispatch. */
  readonly tasks: readonly TaskId[];
}

/** What somebody wanted: a task and the title of its spec. */
export interface Intent {
  readonly task: TaskId;
  readonly title: string;
}

/** All that whoever has to do something about a conflict needs to know. */
export interface Clash {
  readonly code: typeof CONFLICT;
  readonly conflicts: readonly Conflict[];
  readonly ours: Intent;
  /** Each task on the other side once. */
  readonly theirs: readonly Intent[];
  /** Number of the attempt that made the branch. */
  readonly attempt: number;
  /** How often the task has gone back by now, this time included, and from how many times on a person is asked. */
  readonly times: number;
  readonly most: number;
  /**
   * `waits`: the other side has not landed yet, and goes first; then the branch goes back. `agent`: another attempt
   * starts on the new base. `person`: it has gone back often enough. `stays`: it is a revert, and what it was to take
   * back stays merged.
   */
  readonly next: 'waits' | 'agent' | 'person' | 'stays';
}
