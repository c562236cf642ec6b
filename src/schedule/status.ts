/** The one word shown for a task: a pure function of the facts, never stored. */
import { assertNever } from '../model/assert.ts';
import type { TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import { hasCome } from '../model/time.ts';
import { deadAncestors, isDead } from './filter.ts';
import { Locks } from './locks.ts';

export type StatusWord =
  /** Dependencies have not merged yet, or a back-off has not passed. */
  | 'waiting'
  /** Another task holds paths that this one would touch. */
  | 'locked'
  | 'ready'
  | 'running'
  /** The work is done and on its way into integration. */
  | 'gating'
  /** Goes back to an agent because of a conflict, or waits for a person after several. */
  | 'conflict'
  | 'merged'
  /** Had merged, and was taken out of integration again. */
  | 'reverted'
  | 'failed'
  /** A task it depends on failed, was cancelled or reverted, or is parked, however far up. */
  | 'blocked'
  | 'cancelled'
  | 'review';

/**
 * The word for one task. For many tasks use `statuses`, which shares the work.
 * @param now wall clock, milliseconds; without it a back-off is not looked at.
 */
export function statusOf(task: Task, state: State, now?: number): StatusWord {
  return wordFor(task, {
    locks: new Locks(state),
    blocked: () => deadAncestors(task, state).length > 0,
    now,
  });
}

/** The words for all tasks, in the order of the state; linear in tasks and dependencies. */
export function statuses(state: State, now?: number): Map<TaskKey, StatusWord> {
  const locks = new Locks(state);
  const dead = blockedTasks(state);
  const words = new Map<TaskKey, StatusWord>();
  for (const task of state.tasks.values()) {
    words.set(task.key, wordFor(task, { locks, blocked: () => dead.has(task.key), now }));
  }
  return words;
}

interface View {
  readonly locks: Locks;
  readonly blocked: () => boolean;
  readonly now: number | undefined;
}

function wordFor(task: Task, view: View): StatusWord {
  const { progress } = task;
  switch (progress.at) {
    case 'open':
      return openWord(task, view);
    case 'attempt':
      return 'running';
    case 'finished':
    case 'queued':
    case 'gating':
    case 'landing':
      return 'gating';
    case 'review':
      return 'review';
    case 'parked':
      return 'conflict';
    case 'merged':
    case 'reverted':
    case 'failed':
    case 'cancelled':
      return progress.at;
    default:
      return assertNever(progress);
  }
}

function openWord(task: Task, { locks, blocked, now }: View): StatusWord {
  if (task.unmet > 0) return blocked() ? 'blocked' : 'waiting';
  if (task.feedback?.why === 'conflict') return 'conflict';
  if (now !== undefined && !hasCome(task.notBefore, now)) return 'waiting';
  return locks.against(task) === null ? 'ready' : 'locked';
}

/** Every open task below a dead one, found by walking down from the dead. */
function blockedTasks(state: State): Set<TaskKey> {
  const blocked = new Set<TaskKey>();
  const queue: TaskKey[] = [];
  for (const task of state.tasks.values()) if (isDead(task)) queue.push(task.key);
  for (const key of queue) {
    for (const dependent of state.dependents.get(key) ?? []) {
      if (blocked.has(dependent) || state.tasks.get(dependent)?.progress.at !== 'open') continue;
      blocked.add(dependent);
      queue.push(dependent);
    }
  }
  return blocked;
}
