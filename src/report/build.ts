import type { Attempt } from '../model/attempt.ts';
import type { Event } from '../model/event.ts';
import {
  type CommitId,
  type ProjectName,
  type TaskId,
  taskKey,
  type TaskKey,
  type Token,
} from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { clashLine } from './clash.ts';
import { compileMatcher } from '../plan/match.ts';
import { assertNever } from '../model/assert.ts';
import { type Project, type Task, undoOf } from '../model/task.ts';
import { restsOnReverted } from '../schedule/resting.ts';
import { stalledFor } from '../schedule/stalled.ts';
import { type StatusWord, statuses } from '../schedule/status.ts';
import { type AdviceInput, capacityOf } from './advice.ts';
import { alertsOf, nodeAlerts } from './alerts.ts';
import { roundsOf, spanOf, spentOn, tokensOf } from './attempts.ts';
import { concurrencyOf } from './concurrency.ts';
import { machinesOf } from './machines.ts';
import type { ConflictReport, DeliveryReport, Refusal, Report, ScopeReport, TaskReport } from './model.ts';
import { contractReport } from './contract.ts';
import { flakyGates } from './flaky.ts';
import { type AgentWord, notesByAttempt, wordOf } from './notes.ts';
import { stallLine } from './stalled.ts';
import { lateResults } from './late.ts';
import { nextSteps } from './next.ts';
import { waitingFor } from './waiting.ts';
import { looksAt } from './second-look.ts';
import { specQuality } from './spec-quality.ts';

export interface ReportInput {
  readonly state: State;
  /** All events, or at least those of the project, in order. */
  readonly events: readonly Event[];
  readonly project: Project;
  /** Slots of all nodes in nodes.json. */
  readonly slots: number;
  /** The machines as the controller sees them; without them nothing is said about capacity. */
  readonly fleet?: AdviceInput['fleet'];
  readonly now: number;
}

/** Everything a report says about one project, from facts alone. */
export function buildReport({ state, events, project, slots, fleet, now }: ReportInput): Report {
  const tasks = [...state.tasks.values()].filter(({ spec }) => spec.project === project.name);
  const attempts = attemptsOf(state, project.name);
  const words = statuses(state, now);
  const resting = restsOnReverted(state);
  const byTask = groupByTask(attempts);
  const reports = tasks.map((task) =>
    reportTask(task, byTask.get(task.key) ?? [], {
      status: words.get(task.key) ?? 'waiting',
      restsOn: (resting.get(task.key) ?? []).map(idOf),
      state,
      now,
    }),
  );
  const waiting = tasks.flatMap((task) => waitingFor(task, project.name));
  const delivery = deliveryOf(project, tasks, events);
  const counts: Partial<Record<StatusWord, number>> = {};
  for (const { status } of reports) counts[status] = (counts[status] ?? 0) + 1;
  return {
    project: project.name,
    target: project.config.target,
    at: now,
    tasks: reports,
    counts,
    span: spanOf(attempts, now),
    concurrency: concurrencyOf(tasks, attempts, slots, now),
    tokens: tokensOf(attempts),
    alerts: [...alertsOf(state, project), ...nodeAlerts(state)],
    machines: machinesOf(state),
    controls: project.controls,
    contract: contractReport(project, tasks, byTask),
    words: wordsOf(tasks, byTask, events),
    scopes: scopesOf(state, events, project),
    refusals: refusalsOf(state, events, project.name),
    conflicts: conflictsOf(state, events, project.name),
    late: lateResults(state, (task) => task.startsWith(`${project.name}/`)),
    flaky: flakyGates(project),
    waiting,
    looks: looksAt(state, project.name),
    delivery,
    quality: specQuality(state, events, project.name),
    capacity:
      fleet === undefined
        ? null
        : capacityOf({
            state,
            fleet,
            conflicted: conflictedTasks(state, events),
            projects: new Set([project.name]),
            now,
          }),
    next: nextSteps({ project, counts, waiting, delivery }),
  };
}

function attemptsOf(state: State, project: ProjectName): Attempt[] {
  return [...state.attempts.values()].filter(({ task }) => task.startsWith(`${project}/`));
}

function groupByTask(attempts: readonly Attempt[]): Map<TaskKey, Attempt[]> {
  const groups = new Map<TaskKey, Attempt[]>();
  for (const attempt of attempts) {
    const group = groups.get(attempt.task);
    if (group === undefined) groups.set(attempt.task, [attempt]);
    else group.push(attempt);
  }
  return groups;
}

/** The newest attempt of each task that said anything. */
function wordsOf(
  tasks: readonly Task[],
  attempts: ReadonlyMap<TaskKey, readonly Attempt[]>,
  events: readonly Event[],
): AgentWord[] {
  const notes = notesByAttempt(events);
  return tasks.flatMap(({ key, spec }) => {
    const said = (attempts.get(key) ?? []).findLast(({ token }) => notes.has(token));
    return (said === undefined ? null : wordOf(notes, said, spec.id)) ?? [];
  });
}

function reportTask(
  task: Task,
  all: readonly Attempt[],
  seen: {
    readonly status: StatusWord;
    readonly restsOn: readonly TaskId[];
    readonly state: State;
    readonly now: number;
  },
): TaskReport {
  const { status, now } = seen;
  const attempts = all.filter(({ work }) => work.kind === 'work');
  const first = attempts[0]?.claimedAt ?? null;
  const rounds = attempts.map(roundsOf).filter((count) => count !== null);
  const over = 'when' in task.progress ? task.progress.when : now;
  return {
    id: task.spec.id,
    title: task.spec.title,
    status,
    reason:
      seen.restsOn.length > 0
        ? `rests on reverted work: ${seen.restsOn.join(', ')}`
        : (stallReason(seen.state, task) ?? reasonFor(task)),
    nodes: [...new Set(attempts.map(({ node }) => node))],
    attempts: attempts.length,
    rounds: rounds.length === 0 ? null : rounds.reduce((sum, count) => sum + count, 0),
    workMs: attempts.reduce((sum, attempt) => sum + spentOn(attempt, now), 0),
    elapsedMs: first === null ? null : Math.max(0, over - first),
    tokens: tokensOf(attempts),
    commit: task.progress.at === 'merged' ? task.progress.commit : null,
    restsOn: seen.restsOn,
  };
}

/** What is at work shows no progress. */
function stallReason(state: State, task: Task): string | null {
  const stalled = stalledFor(state, task);
  return stalled === null ? null : stallLine(stalled);
}

function reasonFor(task: Task): string | null {
  const { progress, feedback } = task;
  if ('predicted' in progress) {
    return progress.predicted === undefined ? null : clashLine(progress.predicted.clash, task.spec.project);
  }
  if ('reason' in progress) return progress.reason;
  if (undoOf(progress) !== undefined) return 'is being reverted';
  if (progress.at !== 'open' || feedback === null) return null;
  switch (feedback.why) {
    case 'conflict':
      return clashLine(feedback.clash, task.spec.project);
    case 'gate':
      return 'refused by the gate on the merged tree';
    case 'contract':
      return `${feedback.path} changed when it was done`;
    case 'handed':
      return `handed back by ${feedback.by}`;
    case 'rejected':
      return `rejected by ${feedback.by}: ${feedback.reason}`;
    case 'reverted':
      return `was reverted: ${feedback.reason}`;
    default:
      return assertNever(feedback);
  }
}

function refusalsOf(state: State, events: readonly Event[], project: ProjectName): Refusal[] {
  return events.flatMap(({ fact, at }): Refusal[] => {
    if (fact.type === 'attempt.ended' && fact.outcome.kind === 'refused') {
      const attempt = state.attempts.get(fact.token);
      // A gate attempt that is red is followed by merge.refused, which says the same about the task.
      if (attempt?.work.kind !== 'work') return [];
      return refusalBy('node', fact.token, fact.outcome.findings, at);
    }
    if (fact.type === 'candidate.refused') return refusalBy('branch', fact.token, fact.findings, at);
    if (fact.type === 'merge.refused') return refusalBy('merge', fact.token, fact.findings, at);
    if (fact.type === 'revert.refused' && fact.findings !== undefined)
      return refusalBy('revert', fact.token, fact.findings, at);
    return [];
  });

  function refusalBy(by: Refusal['by'], token: Token, findings: Refusal['findings'], at: number): Refusal[] {
    const owner = ownerOf(state, token, project);
    return owner === null ? [] : [{ ...owner, at, by, findings }];
  }
}

function scopesOf(state: State, events: readonly Event[], { name, config }: Project): ScopeReport[] {
  const newest = new Map<TaskId, ScopeReport>();
  for (const { fact } of events) {
    if (fact.type !== 'candidate.accepted' && fact.type !== 'candidate.refused') continue;
    const owner = ownerOf(state, fact.token, name);
    const spec = owner === null ? undefined : state.tasks.get(taskKey(name, owner.task))?.spec;
    if (owner === null || spec === undefined) continue;
    const actual = fact.paths ?? null;
    const claimed = compileMatcher([...spec.modifies, ...config.allowedExtras]);
    const outside = (actual ?? []).filter((path) => !claimed(path));
    newest.set(owner.task, { ...owner, claimed: spec.modifies, actual, outside });
  }
  return [...newest.values()];
}

function conflictsOf(state: State, events: readonly Event[], project: ProjectName): ConflictReport[] {
  return events.flatMap(({ fact, at }): ConflictReport[] => {
    if (fact.type !== 'merge.conflicted' && fact.type !== 'revert.refused') return [];
    const owner = ownerOf(state, fact.token, project);
    return owner === null || fact.clash === undefined ? [] : [{ ...owner, at, ...fact.clash }];
  });
}

/** Tasks whose branch did not merge at least once, as far as these events tell. */
function conflictedTasks(state: State, events: readonly Event[]): Set<TaskKey> {
  return new Set(
    events.flatMap(({ fact }) =>
      fact.type === 'merge.conflicted' ? (state.attempts.get(fact.token)?.task ?? []) : [],
    ),
  );
}

function ownerOf(state: State, token: Token, project: ProjectName): { task: TaskId; n: number } | null {
  const attempt = state.attempts.get(token);
  if (attempt === undefined || !attempt.task.startsWith(`${project}/`)) return null;
  return { task: idOf(attempt.task), n: attempt.n };
}

function idOf(key: TaskKey): TaskId {
  return key.slice(key.indexOf('/') + 1) as TaskId;
}

function deliveryOf(project: Project, tasks: readonly Task[], events: readonly Event[]): DeliveryReport {
  if (project.delivery !== null) return { is: 'running', at: project.delivery.at };
  const last = events.findLast(
    ({ fact }) =>
      (fact.type === 'delivery.failed' || fact.type === 'delivery.landed') && fact.project === project.name,
  );
  if (last?.fact.type === 'delivery.failed') {
    const { code, message, fix } = last.fact;
    const told = [message, fix].filter((part) => part !== undefined).join('; ');
    return { is: 'failed', code, message: told, when: last.at };
  }
  if (project.delivered === null) return { is: 'none' };
  const { commit, when } = project.delivered;
  return { is: 'landed', commit, when, pending: tasks.filter((task) => mergedSince(task, when)).length };
}

function mergedSince({ progress }: Task, when: number): boolean {
  const moved = progress.at === 'merged' || progress.at === 'reverted';
  return moved && progress.commit !== null && progress.when > when;
}

/** A commit as people write it. */
export function shortCommit(commit: CommitId): string {
  return commit.slice(0, 10);
}
