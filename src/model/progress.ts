/** Where a task stands, and what is derived from that: locks, indexes, who may start. */
import type { Attempt } from './attempt.ts';
import type { CommitId, Token } from './ids.ts';
import type { State } from './state.ts';
import { isFinal, type Progress, type Task, type Undo } from './task.ts';
import type { Judged } from './found.ts';

export function queued(judged: {
  readonly token: Token;
  readonly head: CommitId;
  readonly since: number;
  readonly cleared?: boolean;
  readonly undo?: Undo;
}): Progress {
  const { token, head, since, cleared = false } = judged;
  return { at: 'queued', token, head, cleared, since, ...undoing(judged) };
}

export function undoing({ undo }: { readonly undo?: Undo }): { undo?: Undo } {
  return undo === undefined ? {} : { undo };
}

export function headOf({ phase }: Attempt): CommitId | null {
  return phase.is === 'ended' && phase.outcome.kind === 'done' ? phase.outcome.head : null;
}

export function mergeTask(state: State, task: Task, progress: Extract<Progress, { at: 'merged' }>): void {
  setProgress(state, task, progress);
  for (const key of state.dependents.get(task.key) ?? []) {
    const dependent = state.tasks.get(key);
    if (dependent === undefined) continue;
    dependent.unmet -= 1;
    if (dependent.unmet === 0) dependent.readySince ??= progress.when;
    reindex(state, dependent);
  }
}

export function setProgress(state: State, task: Task, progress: Progress): void {
  task.progress = progress;
  if (isFinal(progress)) task.locked = false;
  if (progress.at === 'merged') task.feedback = null;
  releaseIfWaiting(task);
  reindex(state, task);
}

/** A task that waits for a reverted one to be done again must not hold paths that this one needs. */
export function releaseIfWaiting(task: Task): void {
  if (task.progress.at === 'open' && task.unmet > 0) task.locked = false;
}

export function reindex(state: State, task: Task): void {
  const { key, progress } = task;
  put(state.startable, key, progress.at === 'open' && task.unmet === 0);
  put(state.active, key, progress.at !== 'open' && !isFinal(progress));
  put(state.locked, key, task.locked);
}

function put<T>(set: Set<T>, item: T, present: boolean): void {
  if (present) set.add(item);
  else set.delete(item);
}

/** Without what was predicted of it. */
export function unforeseen(progress: Judged): Judged {
  const { at, token, head, since } = progress;
  if (at === 'queued') {
    const { cleared, undo } = progress;
    return { at, token, head, since, cleared, ...(undo === undefined ? {} : { undo }) };
  }
  const { approvals } = progress;
  return { at, token, head, since, ...(approvals === undefined ? {} : { approvals }) };
}
