/**
 * Which branches are to be looked at for conflicts before their turn comes. Each is looked at once, when it has reached
 * the hub; and again only when something has changed that can change the answer: a branch that shares a path with it
 * went onto the stack, integration moved from outside, or what it conflicted with has landed or is gone; and then only
 * when it is near the head of the line. So a queue in which nobody shares a file costs one look for each branch, and one
 * in which all share one costs NEAR looks for each that is stacked: linear in the branches either way.
 *
 * What was looked at is memory: the next controller looks once more. What was found is a fact.
 */
import { mergeOrder } from '../merge/order.ts';
import type { Queue } from '../merge/queue/view.ts';
import type { CommitId, ProjectName, Token } from '../model/ids.ts';
import { type Progress, type Task, undoOf } from '../model/task.ts';
import type { Effect } from './door.ts';
import { activeOf, type Memory } from './memory.ts';
import { standingIn } from './stackable.ts';
import type { Turn } from './turn.ts';

/** Looked at in one go, so that the first answers do not wait for the last. */
const BATCH = 16;

/** How many of those that wait are looked at again. */
const NEAR = 32;

type Judged = Extract<Progress, { at: 'queued' | 'review' }>;

/**
 * @param active the project's active tasks.
 * @param soon branches that are merged in a moment anyway.
 */
export function predictEffects(
  turn: Turn,
  queue: Queue,
  active: readonly Task[],
  soon: () => readonly Task[],
): Effect[] {
  const { name, integration: tip, delivery } = queue.project;
  const { top } = queue;
  if (tip === null || top === null || (delivery !== null && delivery.at !== 'draining')) return [];
  const standing = standingIn(queue);
  const isDue = dueIn(turn.memory, tip, standing);
  const judged = active.filter(({ progress }) => isJudged(progress));
  if (!judged.some((task) => isDue(task, true))) return [];
  const merged = new Set(soon());
  const branches = judged
    .filter((task) => !merged.has(task))
    .toSorted(mergeOrder(turn.state.attempts))
    .filter((task, place) => isDue(task, place < NEAR))
    .slice(0, BATCH)
    .flatMap(({ progress }) => (isJudged(progress) ? { token: progress.token, head: progress.head } : []));
  if (branches.length === 0) return [];
  return [{ do: 'predict', key: `predict:${name}`, project: name, tip, top, branches }];
}

/** @returns whether a branch is to be looked at now; `near`: it is among the first that wait. */
function dueIn(
  { foreseen, inflight }: Memory,
  tip: CommitId,
  standing: ReadonlySet<CommitId>,
): (task: Task, near: boolean) => boolean {
  return ({ progress }, near) => {
    if (!isJudged(progress) || inflight.has(`merge:${progress.token}`)) return false;
    const { token, predicted } = progress;
    const seen = foreseen.get(token);
    if (seen === undefined) return true;
    const gone = predicted !== undefined && (seen.tip !== tip || !standing.has(predicted.onto));
    return near && (seen.again !== null || gone);
  };
}

/** A revert is not: what it brings is made when its turn comes. */
function isJudged(progress: Progress): progress is Judged {
  return (progress.at === 'queued' || progress.at === 'review') && undoOf(progress) === undefined;
}

/** A branch stands on the stack now: whoever shares a path with it is looked at again. */
export function reconsider(turn: Turn, project: ProjectName, stacked: Token, as: CommitId): void {
  const { state, memory } = turn;
  for (const key of activeOf(state, project)) {
    const progress = state.tasks.get(key)?.progress;
    if (progress === undefined || !isJudged(progress)) continue;
    const seen = memory.foreseen.get(progress.token);
    if (seen === undefined || !mayMeet(memory, stacked, progress.token)) continue;
    memory.foreseen.set(progress.token, { ...seen, again: as });
  }
}

/** Integration is somewhere else, and nobody here knows what changed. */
export function reconsiderAll({ state, memory }: Turn, project: ProjectName, tip: CommitId): void {
  for (const [token, seen] of memory.foreseen) {
    if (state.attempts.get(token)?.task.startsWith(`${project}/`) !== true) continue;
    memory.foreseen.set(token, { ...seen, again: tip });
  }
}

/** False when the two branches are known to change different files, none inside what is a file in the other. */
export function mayMeet({ changes }: Memory, one: Token, other: Token): boolean {
  const [a, b] = [changes.get(one), changes.get(other)];
  if (a === undefined || b === undefined) return true;
  return [...b].some((path) => a.has(path)) || inside(a, b) || inside(b, a);
}

function inside(paths: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return [...paths].some((path) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (others.has(path.slice(0, at))) return true;
    }
    return false;
  });
}
