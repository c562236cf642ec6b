/** When is a run over: nothing more will happen without a person. */
import type { ProjectName, TaskKey } from '../model/ids.ts';
import { isFinal, type Task } from '../model/task.ts';
import { neverFits } from '../schedule/budget.ts';
import type { Blocker, NodeVerdict, Snapshot } from '../schedule/snapshot.ts';
import { whyEach } from '../schedule/why.ts';

export interface Settlement {
  readonly merged: readonly TaskKey[];
  readonly failed: readonly TaskKey[];
  /** Waits for a person: a review, or parked. */
  readonly waiting: readonly TaskKey[];
  /** Cannot start: a dependency failed, or no node will ever take it. */
  readonly blocked: readonly TaskKey[];
}

/** Null while something can still happen by itself. */
export function settlement(
  snapshot: Snapshot,
  projects: readonly ProjectName[],
  now: number,
): Settlement | null {
  const wanted = new Set<string>(projects);
  const { state } = snapshot;
  // Cheap looks first: this is asked after every turn, and nearly always answered by something at work.
  for (const [, live] of state.live) {
    for (const token of live) {
      const key = state.attempts.get(token)?.task;
      if (key !== undefined && wanted.has(key.slice(0, key.indexOf('/')))) return null;
    }
  }
  const unmerged: Task[] = [];
  for (const key of state.active) {
    const task = state.tasks.get(key);
    if (task === undefined || !wanted.has(task.spec.project) || waits(task)) continue;
    if (task.progress.at !== 'gating' && task.progress.at !== 'queued') return null;
    unmerged.push(task);
  }
  const why = whyEach(snapshot, now);
  const stuck = new Set(unmerged.filter((task) => isStuck(task, snapshot, why)).map(projectOf));
  if (unmerged.some((task) => !stuck.has(projectOf(task)))) return null;
  for (const key of state.startable) {
    const task = state.tasks.get(key);
    if (task === undefined || !wanted.has(task.spec.project)) continue;
    // Something that passes by itself stands in the way, or nothing does.
    if (!why(task).some((blocker) => isForGood(blocker, snapshot, stuck))) return null;
  }
  return sortOut(snapshot, wanted);
}

function waits({ progress }: Task): boolean {
  return progress.at === 'review' || progress.at === 'parked';
}

function projectOf({ spec }: Task): ProjectName {
  return spec.project;
}

/**
 * Its gate is at no node, and none will ever take it, because a person has cordoned them all; or its merge queue is
 * held. The queue behind it stands still.
 */
function isStuck(task: Task, snapshot: Snapshot, why: (task: Task) => Blocker[]): boolean {
  return why(task).some((blocker) => isForGood(blocker, snapshot, new Set()));
}

/** @param stuck projects whose merge queue stands still until a person does something. */
function isForGood(blocker: Blocker, snapshot: Snapshot, stuck: ReadonlySet<ProjectName>): boolean {
  switch (blocker.why) {
    case 'dependency':
    case 'not-started':
    case 'held':
      return true;
    case 'backoff':
    case 'no-base':
      return false;
    case 'lock': {
      const holder = snapshot.state.tasks.get(blocker.holder);
      if (holder === undefined || waits(holder)) return holder !== undefined;
      const { at } = holder.progress;
      return (at === 'gating' || at === 'queued') && stuck.has(projectOf(holder));
    }
    case 'contract':
      return blocker.changed !== null;
    case 'control':
      return blocker.failed !== null || (blocker.nodes.length > 0 && blocker.nodes.every(isShut));
    case 'nodes':
      return blocker.nodes.every(isShut);
    case 'credential':
      return blocker.credentials.length > 0 && blocker.credentials.every(({ needsPerson }) => needsPerson);
    // A day ends by itself, and what live attempts of others hold is given back; what is used for good is a person's to raise.
    case 'budget':
      return blocker.budgets.some(
        (verdict) => verdict.day === null && (verdict.reserved === 0 || neverFits(verdict)),
      );
    default:
      return false;
  }
}

function isShut(verdict: NodeVerdict): boolean {
  return !verdict.ok && ['executor', 'program', 'cage', 'cordoned', 'draining'].includes(verdict.why);
}

function sortOut(snapshot: Snapshot, wanted: ReadonlySet<string>): Settlement {
  const result = {
    merged: [] as TaskKey[],
    failed: [] as TaskKey[],
    waiting: [] as TaskKey[],
    blocked: [] as TaskKey[],
  };
  for (const task of snapshot.state.tasks.values()) {
    if (!wanted.has(task.spec.project)) continue;
    const { at } = task.progress;
    if (at === 'merged') result.merged.push(task.key);
    else if (isFinal(task.progress)) result.failed.push(task.key);
    else if (waits(task)) result.waiting.push(task.key);
    else result.blocked.push(task.key);
  }
  return result;
}
