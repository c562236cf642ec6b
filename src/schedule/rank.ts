/**
 * Who comes first when not all can. The order inside a project never changes with time: a key is computed once from
 * when the task became ready, its priority and its critical path, and ageing comes from the clock having stood earlier
 * for those that wait longer. So nothing is re-ranked as time passes, and two calls agree.
 */
import { projectOfKey } from '../model/found.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Snapshot } from './snapshot.ts';

/** One step of priority is worth this much waiting, milliseconds: a P2 ready an hour before a fresh P1 goes first. */
export const AGE_STEP = 3_600_000;

/** A project's claim on slots during one call. */
export interface Share {
  readonly weight: number;
  /** Slots in use, those given in this call included. */
  live: number;
}

export interface Candidate {
  readonly task: Task;
  /** Milliseconds; smaller goes first. */
  readonly urgency: number;
  readonly share: Share;
}

/** Negative when `a` is started before `b`. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  // 1. Fairness: the project that has the least of the slots it is entitled to by its weight.
  if (a.share !== b.share) {
    const fair = shareUsed(a.share) - shareUsed(b.share);
    if (fair !== 0 && !Number.isNaN(fair)) return fair;
  }
  // 2. Urgency: priority with ageing, the longer remaining chain first.
  if (a.urgency !== b.urgency) return a.urgency - b.urgency;
  // 3. Order of arrival, unique within a home.
  return a.task.order - b.task.order;
}

/**
 * The time-invariant key: when the task became ready, plus a step per priority, less what its critical path is worth.
 * That worth grows with the chain and stays below one step, so among equals the longest chain goes first, and no chain
 * lifts a task over a whole priority.
 */
export function urgencyOf(task: Task, chainMs: Snapshot['chainMs']): number {
  const chain = chainMs.get(task.key) ?? task.spec.estimateMs ?? 0;
  const worth = (AGE_STEP * chain) / (chain + AGE_STEP);
  return (task.readySince ?? task.addedAt) + task.spec.priority * AGE_STEP - worth;
}

/** Slots in use by each project, from the live attempts of every kind. */
export function sharesOf(state: State): Map<ProjectName, Share> {
  const shares = new Map<ProjectName, Share>();
  for (const project of state.projects.values()) {
    shares.set(project.name, { weight: project.config.weight, live: 0 });
  }
  for (const tokens of state.live.values()) {
    for (const token of tokens) {
      const attempt = state.attempts.get(token);
      const share = attempt === undefined ? undefined : shares.get(projectOfKey(attempt.task));
      if (share !== undefined) share.live += 1;
    }
  }
  return shares;
}

function shareUsed({ live, weight }: Share): number {
  return live / weight;
}
