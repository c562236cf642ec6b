/**
 * The filters a task must pass before it is started. `decide` asks them in order and stops at the first that objects;
 * `why` asks all of them and prints every objection. There is no second opinion anywhere else.
 */
import { safeModeOf } from './safe-mode.ts';
import type { NodeName, TaskKey, Token } from '../model/ids.ts';
import { taskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import { hasCome } from '../model/time.ts';
import { Budgets } from './budget.ts';
import { Credentials } from './credentials.ts';
import { Locks } from './locks.ts';
import { ANY_EXECUTOR, needOf, Slots } from './slots.ts';
import type { Blocker, Snapshot } from './snapshot.ts';

/** What the filters look at: the snapshot, and what has been taken from it so far in this call. */
export interface Board {
  readonly snapshot: Snapshot;
  /** Wall clock, milliseconds. */
  readonly now: number;
  readonly slots: Slots;
  readonly locks: Locks;
  readonly credentials: Credentials;
  readonly budgets: Budgets;
  /** Tasks with a live attempt, work or gate, that is not the one they are at. */
  readonly stray: ReadonlyMap<TaskKey, { readonly token: Token; readonly node: NodeName }>;
}

export type Filter = (task: Task, board: Board) => Blocker | null;

export function boardOf(snapshot: Snapshot, now: number): Board {
  const { state } = snapshot;
  const budgets = new Budgets(snapshot, now);
  return {
    snapshot,
    now,
    slots: new Slots(snapshot, now),
    locks: new Locks(state),
    credentials: new Credentials(state, now, (key) => budgets.isClosed(key)),
    budgets,
    stray: strayAttempts(state),
  };
}

/** Filters that say the same of every task of a project. */
export const PROJECT_FILTERS: readonly Filter[] = [
  projectStarted,
  integrationExists,
  contractSettled,
  gatesControlled,
];

/** Filters on one task. */
export const TASK_FILTERS: readonly Filter[] = [dependencies, backoffOver, noLiveAttempt];

/** Filters whose answer cannot change while one call hands out slots and locks; what lasts longest is said first. */
export const STANDING_FILTERS: readonly Filter[] = [...TASK_FILTERS, ...PROJECT_FILTERS];

/** Filters that earlier choices of the same call can close. */
export const CONTENDED_FILTERS: readonly Filter[] = [pathsFree, credentialFree, budgetFits, nodeFree];

/** What a merge gate must pass before it is started; it runs in any project and on any node. */
export const GATE_FILTERS: readonly Filter[] = [backoffOver, noLiveAttempt];

/** The first objection of these filters to the task; null when there is none. */
export function firstBlocker(task: Task, board: Board, filters: readonly Filter[]): Blocker | null {
  for (const filter of filters) {
    const blocker = filter(task, board);
    if (blocker !== null) return blocker;
  }
  return null;
}

function dependencies(task: Task, { snapshot }: Board): Blocker | null {
  if (task.unmet === 0) return null;
  const dead = deadAncestors(task, snapshot.state);
  if (dead.length > 0) return { why: 'dependency', on: dead, dead: true };
  return { why: 'dependency', on: unmetDependencies(task, snapshot.state), dead: false };
}

function projectStarted(task: Task, { snapshot }: Board): Blocker | null {
  const safe = safeModeOf(snapshot, task.spec.project);
  if (safe !== null) return { why: 'safe-mode', ...safe };
  return snapshot.dispatching.has(task.spec.project) ? null : { why: 'not-started' };
}

function integrationExists(task: Task, { snapshot }: Board): Blocker | null {
  const project = snapshot.state.projects.get(task.spec.project);
  if (project === undefined) return { why: 'no-base' };
  return project.config.repo === null || project.integration !== null ? null : { why: 'no-base' };
}

/** No agent begins on an agreement that is another one by now, nor before it is known that it is not. */
function contractSettled(task: Task, { snapshot: { state, contracts } }: Board): Blocker | null {
  const project = state.projects.get(task.spec.project);
  const path = project?.config.contract ?? null;
  if (project === undefined || path === null || project.integration === null) return null;
  const changed = project.contract?.changed ?? null;
  if (changed !== null) return { why: 'contract', path, changed };
  if (contracts === undefined) return null;
  const look = contracts.get(project.name);
  return look?.commit === project.integration && look.path === path
    ? null
    : { why: 'contract', path, changed };
}

function gatesControlled(task: Task, { snapshot, slots }: Board): Blocker | null {
  const standing = snapshot.controls?.get(task.spec.project);
  if (standing === undefined) return null;
  const [failed = null] = standing.failed;
  const nodes = failed === null && standing.wanted.length > 0 ? slots.verdicts(ANY_EXECUTOR) : [];
  return { why: 'control', failed, nodes };
}

function backoffOver(task: Task, { now }: Board): Blocker | null {
  if (hasCome(task.notBefore, now)) return null;
  return { why: 'backoff', until: task.notBefore, reason: backoffReason(task), forMs: task.notBefore - now };
}

function backoffReason(task: Task): string {
  if (task.progress.at === 'gating') return 'the gate broke';
  if (task.failures > 0) return `attempt ${task.n} failed`;
  return task.losses > 0 ? `attempt ${task.n} was lost with its node` : `attempt ${task.n} ended`;
}

function noLiveAttempt(task: Task, { stray }: Board): Blocker | null {
  const alive = stray.size === 0 ? undefined : stray.get(task.key);
  return alive === undefined ? null : { why: 'attempt', token: alive.token, node: alive.node };
}

function pathsFree(task: Task, { locks }: Board): Blocker | null {
  const met = locks.against(task);
  return met === null ? null : { why: 'lock', holder: met.holder, path: met.path };
}

function credentialFree({ spec: { project, executor } }: Task, { credentials }: Board): Blocker | null {
  if (credentials.route(project, executor) !== null) return null;
  return { why: 'credential', credentials: credentials.verdicts(project, executor) };
}

function budgetFits(task: Task, { budgets, credentials }: Board): Blocker | null {
  const { project, executor } = task.spec;
  const route = credentials.route(project, executor);
  if (route === null) return null;
  const objections = budgets.objections(task, route);
  return objections.length === 0 ? null : { why: 'budget', budgets: objections };
}

function nodeFree({ spec: { project, executor } }: Task, board: Board): Blocker | null {
  const { slots, snapshot, credentials } = board;
  const need = needOf(project, credentials.route(project, executor)?.executor ?? executor, snapshot.state);
  return slots.takes(need) ? null : { why: 'nodes', nodes: slots.verdicts(need) };
}

function strayAttempts(state: State): Board['stray'] {
  const stray = new Map<TaskKey, { token: Token; node: NodeName }>();
  for (const [node, tokens] of state.live) {
    for (const token of tokens) {
      const attempt = state.attempts.get(token);
      const task = attempt === undefined ? undefined : state.tasks.get(attempt.task);
      if (task !== undefined && !isAt(task, token)) stray.set(task.key, { token, node });
    }
  }
  return stray;
}

/** The attempt is the work or the gate that the task's progress names. */
function isAt({ progress }: Task, token: Token): boolean {
  return progress.at === 'gating'
    ? progress.gate === token
    : progress.at === 'attempt' && progress.token === token;
}

function unmetDependencies(task: Task, state: State): TaskKey[] {
  return dependencyKeys(task).filter((key) => state.tasks.get(key)?.progress.at !== 'merged');
}

/**
 * Tasks up the chain that failed, were cancelled or reverted, or are parked: nothing below them starts unless a person acts.
 * Nearest first, each once. Linear in the part of the graph above the task.
 */
export function deadAncestors(task: Task, state: State): TaskKey[] {
  const dead: TaskKey[] = [];
  const queue = dependencyKeys(task);
  const seen = new Set(queue);
  for (const key of queue) {
    const ancestor = state.tasks.get(key);
    if (ancestor === undefined) continue;
    if (isDead(ancestor)) dead.push(key);
    if (ancestor.progress.at !== 'open') continue;
    for (const further of dependencyKeys(ancestor)) {
      if (seen.has(further)) continue;
      seen.add(further);
      queue.push(further);
    }
  }
  return dead;
}

/** True for a task on which dependents wait in vain: only a person can make it merge. */
export function isDead({ progress }: Task): boolean {
  switch (progress.at) {
    case 'failed':
    case 'cancelled':
    case 'parked':
    case 'reverted':
      return true;
    default:
      return false;
  }
}

function dependencyKeys(task: Task): TaskKey[] {
  return [...new Set(task.spec.dependsOn)].map((id) => taskKey(task.spec.project, id));
}
