import type { Attempt, Step } from '../../model/attempt.ts';
import type { CommitId, NodeName, ProjectName, TaskId, TaskKey } from '../../model/ids.ts';
import type { Clash } from '../../model/conflict.ts';
import type { State } from '../../model/state.ts';
import { type Task, undoOf } from '../../model/task.ts';
import { stallWord } from '../../model/stall.ts';
import type { Snapshot } from '../../schedule/snapshot.ts';
import { clashesAgainst, clashOf, shortClash } from '../../schedule/clash.ts';
import { type StatusWord, statuses } from '../../schedule/status.ts';
import {
  type Board,
  boardOf,
  CONTENDED_FILTERS,
  firstBlocker,
  STANDING_FILTERS,
} from '../../schedule/filter.ts';
import { restsOnReverted } from '../../schedule/resting.ts';
import { type StalledAttempt, stalledFor } from '../../schedule/stalled.ts';
import { reasonOf, silentOf, why } from '../../schedule/why.ts';

/** What `status`, `start` and `collect` show of one task. */
export interface TaskRow {
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly title: string;
  readonly status: StatusWord;
  /** Why it is not further; empty when there is nothing to say. */
  readonly reason: string;
  /** 409: the conflict that its branch is in, or will be. */
  readonly conflict: Clash | null;
  /** Conflicts to come of others, which will have to give way to this one. */
  readonly ahead: readonly Clash[];
  /** Node of its newest attempt. */
  readonly node: NodeName | null;
  /** Number of its newest attempt; 0 before the first. */
  readonly attempt: number;
  /** Feedback round and what the node does in it, while an attempt runs. */
  readonly round: number | null;
  readonly step: Step | null;
  /** What is at work for it shows no progress, since when, and why; null: it does, or nothing is at work. */
  readonly stall: StalledAttempt['stall'] | null;
  /** Wall clock since when it has been where it is, milliseconds. */
  readonly since: number;
  readonly commit: CommitId | null;
  /** It has merged, and these, which it depends on, were reverted. */
  readonly restsOn: readonly TaskId[];
}

/**
 * One row per task, in the order of arrival.
 * @param snapshot null when no controller runs: then nothing starts, whatever the filters say.
 */
export function rowsOf(
  state: State,
  snapshot: Snapshot | null,
  now: number,
  projects: ReadonlySet<ProjectName> | null,
): TaskRow[] {
  const words = statuses(state, now);
  const resting = restsOnReverted(state);
  const tasks = [...state.tasks.values()].filter(
    ({ spec }) => projects === null || projects.has(spec.project),
  );
  const newest = newestAttempts(state);
  const against = clashesAgainst(state);
  // One board for all: making it is linear in the state, and so would be quadratic per task.
  const board = snapshot === null ? null : boardOf(snapshot, now);
  return tasks.map((task) => {
    const attempt = newest.get(task.key) ?? null;
    const running = attempt?.phase.is === 'running' ? attempt.phase : null;
    const status = words.get(task.key) ?? 'waiting';
    const rests = resting.get(task.key) ?? [];
    const stall = stalledFor(state, task)?.stall ?? null;
    const reason = stall === null ? reasonFor(task, status, board, rests) : stallWord(stall);
    return {
      project: task.spec.project,
      task: task.spec.id,
      title: task.spec.title,
      status,
      reason: withConflict(task, reason, against.get(task.key) ?? []),
      restsOn: rests.map((key) => state.tasks.get(key)?.spec.id).filter((id) => id !== undefined),
      conflict: clashOf(task),
      ahead: against.get(task.key) ?? [],
      node: attempt?.node ?? null,
      attempt: task.n,
      round: running?.round ?? null,
      step: running?.step ?? null,
      stall,
      since: sinceWhen(task, attempt),
      commit: task.progress.at === 'merged' ? task.progress.commit : null,
    };
  });
}

/** How many rows have each word. */
export function countWords(rows: readonly TaskRow[]): Partial<Record<StatusWord, number>> {
  const counts: Partial<Record<StatusWord, number>> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The last work attempt of each task: attempts keep the order in which they were claimed. */
function newestAttempts(state: State): Map<string, Attempt> {
  const newest = new Map<string, Attempt>();
  for (const attempt of state.attempts.values()) {
    if (attempt.work.kind === 'work') newest.set(attempt.task, attempt);
  }
  return newest;
}

function reasonFor(task: Task, status: StatusWord, board: Board | null, rests: readonly TaskKey[]): string {
  const { progress } = task;
  if ('reason' in progress) return progress.reason;
  if (rests.length > 0) return reasonOf([{ why: 'rests', on: rests }]);
  if (undoOf(progress) !== undefined && board !== null) return 'Revert';
  if (progress.at === 'merged') return '';
  if (progress.at === 'attempt') return board === null ? '' : reasonOf(silentOf(progress.token, board));
  if (board === null) return reasonWithoutController(task, status);
  if (progress.at !== 'open') return reasonOf(why(board.snapshot, task, board.now));
  const blocker = firstBlocker(task, board, [...STANDING_FILTERS, ...CONTENDED_FILTERS]);
  return blocker === null ? '' : reasonOf([blocker]);
}

/** A conflict is seen in the table of either side; a reason that names it already, or says more, stands. */
function withConflict(task: Task, reason: string, ahead: readonly Clash[]): string {
  if ('reason' in task.progress) return reason;
  const own = clashOf(task);
  const short = own === null ? '' : shortClash(own);
  const others = ahead.map(({ code, ours }) => `Ahead${code}(${ours.task})`);
  return [...new Set([short, reason, ...others])].filter((part) => part !== '').join(' ');
}

/** Nothing moves then, and that comes before whatever the filters would say; what a person has to do comes before it. */
function reasonWithoutController({ progress }: Task, status: StatusWord): string {
  if (progress.at === 'review') return reasonOf([{ why: 'review', approvals: progress.approvals ?? [] }]);
  return status === 'blocked' ? 'DependencyFailed' : 'NoController';
}

function sinceWhen({ progress, readySince, addedAt }: Task, attempt: Attempt | null): number {
  if ('when' in progress) return progress.when;
  if ('since' in progress) return progress.since;
  if (progress.at === 'attempt' || progress.at === 'landing')
    return attempt?.startedAt ?? attempt?.claimedAt ?? addedAt;
  return readySince ?? addedAt;
}
