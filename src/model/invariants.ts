/**
 * What must hold of every state, whatever happened: the one list that the property tests, the simulator and production
 * check. `violations` looks at a whole state and costs its size; `watch` looks at what the last events touched and costs
 * their number, and also sees what one state alone cannot show: that final stays final, that `n` only grows, that a
 * token merges once, that nothing starts where no slot, key or budget has room. Both return sentences, empty when all is
 * well, and change nothing.
 *
 * In production the core watches itself in every turn, and a controller looks at the whole state when it starts, once a
 * day and when somebody asks how it is.
 */
import type { Attempt } from './attempt.ts';
import type { Fact, NewEvent } from './event.ts';
import type { NodeName, TaskKey, Token } from './ids.ts';
import { taskKey } from './ids.ts';
import { isLive } from './indexes.ts';
import { indexViolations } from './invariants-index.ts';
import { gateViolations, strayViolations, taskViolations } from './invariants-task.ts';
import type { TaskSpec } from './spec.ts';
import { MOST_FAULTS } from './health.ts';
import type { NodeState, State } from './state.ts';
import type { Progress, Project, Task } from './task.ts';

/** What a state is held against and does not contain; what is missing is not checked. */
export interface Surroundings {
  /** Some other task that holds a lock which this one's meets; null: there is none. */
  readonly lockAgainst?: (state: State, task: Task) => TaskKey | null;
  /** Attempts that the node may run at once, by nodes.json as it is now; null: it is not in there. */
  readonly slotsOf?: (node: NodeName) => number | null;
  /** The bounds that are exceeded with this attempt, which has just been claimed, in words. */
  readonly overdrawnBy?: (state: State, attempt: Attempt) => readonly string[];
}

/** Locks compared pair by pair: dear, and independent of whatever index the scheduler uses. */
export function eachPair(
  meets: (a: TaskSpec, b: TaskSpec) => boolean,
): NonNullable<Surroundings['lockAgainst']> {
  return (state, task) => {
    for (const key of state.locked) {
      const other = state.tasks.get(key);
      if (other === undefined || other === task || other.spec.project !== task.spec.project) continue;
      if (meets(task.spec, other.spec)) return key;
    }
    return null;
  };
}

/** Everything wrong with this state. */
export function violations(state: State, around: Surroundings = {}): string[] {
  const found: string[] = [];
  let order = 0;
  for (const task of state.tasks.values()) {
    order += 1;
    if (task.order !== order) found.push(`${task.key}: order ${task.order}, arrived as number ${order}`);
    found.push(...taskViolations(state, task));
  }
  found.push(...attemptNumbers(state));
  for (const project of state.projects.values()) found.push(...deliveryViolations(state, project));
  for (const node of state.nodes.values()) found.push(...nodeViolations(state, node));
  for (const node of state.nodes.values()) found.push(...healthViolations(node));
  found.push(...indexViolations(state));
  for (const key of state.locked) found.push(...lockViolations(state, state.tasks.get(key), around));
  return found;
}

/**
 * Remembers the state and returns a function to call with each batch of events right after they were applied to it. It
 * returns what these events broke, for a few look-ups an event.
 */
export function watch(
  state: State,
  around: Surroundings = {},
): (events: readonly Pick<NewEvent, 'fact'>[]) => string[] {
  const seen = new Map<TaskKey, Seen>();
  const newest = new Map<TaskKey, Attempt>();
  const keys = new KeysInUse(state);
  for (const task of state.tasks.values()) seen.set(task.key, { n: task.n, progress: task.progress });
  for (const attempt of state.attempts.values()) {
    if (attempt.work.kind === 'work') newest.set(attempt.task, attempt);
  }
  return (events) => {
    const found: string[] = [];
    const retried = new Set<TaskKey>();
    const reverting = new Set<TaskKey>();
    const touched = new Set<TaskKey>();
    const claimed: Attempt[] = [];
    for (const { fact } of events) {
      keys.note(fact);
      const attempt = fact.type === 'attempt.claimed' ? state.attempts.get(fact.token) : undefined;
      if (attempt !== undefined) claimed.push(attempt);
      const key = taskOf(fact, state);
      if (key === null || !state.tasks.has(key)) continue;
      touched.add(key);
      if (fact.type === 'task.retried') retried.add(key);
      if (fact.type === 'revert.requested') reverting.add(key);
      if (fact.type === 'merge.landed' || fact.type === 'task.completed') {
        found.push(...mergeViolations(seen, key, fact.token));
      }
      if (fact.type === 'attempt.claimed' && fact.work.kind === 'work') {
        found.push(...claimViolations(state, fact, newest.get(key)));
        if (attempt !== undefined) newest.set(key, attempt);
      }
    }
    for (const key of touched) {
      const task = state.tasks.get(key);
      if (task === undefined) continue;
      const asked = { retried: retried.has(key), reverting: reverting.has(key) };
      found.push(...stepViolations(seen.get(key), task, asked));
      found.push(...strayViolations(task, newest.get(key)));
      found.push(...taskViolations(state, task));
      seen.set(key, { n: task.n, progress: task.progress });
    }
    for (const attempt of claimed) {
      found.push(...roomViolations(state, attempt, around), ...keys.violations(attempt));
      if (attempt.work.kind === 'gate') continue;
      found.push(...lockViolations(state, state.tasks.get(attempt.task), around));
      found.push(...(around.overdrawnBy?.(state, attempt) ?? []));
    }
    return found;
  };
}

/** Nothing is placed on a node beyond its slots. One that was given fewer keeps what it has. */
function roomViolations(state: State, { node }: Attempt, { slotsOf }: Surroundings): string[] {
  const slots = slotsOf?.(node) ?? null;
  const live = state.live.get(node)?.size ?? 0;
  return slots === null || live <= slots ? [] : [`${node}: ${live} attempts in ${slots} slots`];
}

/** A lock is met by no other. */
function lockViolations(state: State, task: Task | undefined, { lockAgainst }: Surroundings): string[] {
  const other = task?.locked === true ? (lockAgainst?.(state, task) ?? null) : null;
  return task === undefined || other === null ? [] : [`${task.key} and ${other}: both hold locks that meet`];
}

/** Live attempts by the key they were given, counted as they begin and end. */
class KeysInUse {
  readonly #state: State;
  readonly #live = new Map<string, Set<Token>>();

  constructor(state: State) {
    this.#state = state;
    for (const tokens of state.live.values()) for (const token of tokens) this.#add(token);
  }

  note(fact: Fact): void {
    if (fact.type === 'attempt.claimed') this.#add(fact.token);
    if (fact.type !== 'attempt.ended' && fact.type !== 'attempt.fenced') return;
    const credential = this.#state.attempts.get(fact.token)?.credential;
    if (credential !== undefined) this.#live.get(credential)?.delete(fact.token);
  }

  /** No key is used by more at once than a person allowed. */
  violations({ credential, executor, task }: Attempt): string[] {
    if (credential === undefined) return [];
    const known = this.#state.tasks.get(task)?.spec;
    const config = known === undefined ? undefined : this.#state.projects.get(known.project)?.config;
    const pool = config?.executors[executor ?? known?.executor ?? '']?.pool;
    const most = pool?.find(({ name }) => name === credential)?.maxInFlight ?? null;
    const used = this.#live.get(credential)?.size ?? 0;
    return most === null || used <= most ? [] : [`${credential}: ${used} attempts at once, ${most} allowed`];
  }

  #add(token: Token): void {
    const credential = this.#state.attempts.get(token)?.credential;
    if (credential === undefined) return;
    const live = this.#live.get(credential) ?? new Set();
    this.#live.set(credential, live.add(token));
  }
}

/** One ailment of a kind, and a mark of dispatch's own only for one that is there. */
function healthViolations({ name, mark, health }: NodeState): string[] {
  const { ailments, faults, markedFor } = health;
  const kinds = new Set(ailments.map(({ kind }) => kind));
  return [
    ...(kinds.size === ailments.length ? [] : [`${name}: ails of one thing twice`]),
    ...(faults.length <= MOST_FAULTS ? [] : [`${name}: ${faults.length} faults are kept`]),
    ...(markedFor === null || (kinds.has(markedFor) && mark !== 'none')
      ? []
      : [`${name}: marked ${mark} for ${markedFor}, which it does not have`]),
  ];
}

/** What one state cannot tell about its past. */
interface Seen {
  readonly n: number;
  readonly progress: Progress;
}

function taskOf(fact: Fact, state: State): TaskKey | null {
  if ('spec' in fact) return taskKey(fact.spec.project, fact.spec.id);
  if ('task' in fact) return fact.task;
  if ('token' in fact) return state.attempts.get(fact.token)?.task ?? null;
  return null;
}

function claimViolations(
  state: State,
  fact: Extract<Fact, { type: 'attempt.claimed' }>,
  previous: Attempt | undefined,
): string[] {
  const found: string[] = [];
  const task = state.tasks.get(fact.task);
  if (task === undefined) return [`${fact.token}: claimed for ${fact.task}, which does not exist`];
  for (const id of task.spec.dependsOn) {
    const dependency = state.tasks.get(taskKey(task.spec.project, id));
    if (dependency?.progress.at === 'merged') continue;
    found.push(`${task.key}: claimed while ${id} is ${dependency?.progress.at ?? 'unknown'}`);
  }
  if (previous !== undefined && isLive(previous)) {
    found.push(`${task.key}: attempt ${fact.n} claimed while attempt ${previous.n} lives`);
  }
  return found;
}

function mergeViolations(seen: ReadonlyMap<TaskKey, Seen>, key: TaskKey, token: Token): string[] {
  const was = seen.get(key)?.progress;
  return was?.at === 'merged' ? [`${key}: merged with ${token} after it had merged with ${was.token}`] : [];
}

function stepViolations(
  before: Seen | undefined,
  task: Task,
  asked: { readonly retried: boolean; readonly reverting: boolean },
): string[] {
  if (before === undefined) return [];
  const found: string[] = [];
  const { progress } = task;
  if (task.n < before.n) found.push(`${task.key}: n went from ${before.n} back to ${task.n}`);
  const was = before.progress;
  if (was.at === 'merged' && !sameMerge(was, progress) && !asked.reverting) {
    found.push(`${task.key}: merged as ${was.token}, and now ${progress.at}`);
  }
  const over = was.at === 'failed' || was.at === 'cancelled' || was.at === 'reverted';
  if (over && was !== progress && !asked.retried) {
    found.push(`${task.key}: ${was.at}, and now ${progress.at} without a retry`);
  }
  return found;
}

/** A token merges at most once, and a task at most with one token: once merged, nothing about it changes but by a revert. */
function sameMerge(was: Extract<Progress, { at: 'merged' }>, now: Progress): boolean {
  return now.at === 'merged' && now.token === was.token && now.commit === was.commit && now.when === was.when;
}

function deliveryViolations(state: State, project: Project): string[] {
  const { delivery, name } = project;
  if (delivery?.at !== 'gating' || delivery.gate === null) return [];
  return gateViolations(state, `delivery of ${name}`, delivery.gate, { of: 'delivery', may: [delivery] });
}

/** What was at work on a lost node was given up with it, and nothing begins there before it is heard of. */
function nodeViolations(state: State, { name, silence }: NodeState): string[] {
  const live = silence?.is === 'lost' ? (state.live.get(name)?.size ?? 0) : 0;
  return live === 0 ? [] : [`${name}: is lost, and ${live} attempts live there`];
}

/** Work attempts of a task are numbered 1, 2, 3, … as they were claimed; at most one lives, and it is the task's own. */
function attemptNumbers(state: State): string[] {
  const found: string[] = [];
  const last = new Map<TaskKey, number>();
  for (const attempt of state.attempts.values()) {
    if (attempt.work.kind === 'gate') continue;
    const n = (last.get(attempt.task) ?? 0) + 1;
    last.set(attempt.task, n);
    if (attempt.n !== n) found.push(`${attempt.task}: attempt ${attempt.n} was claimed as number ${n}`);
    const task = state.tasks.get(attempt.task);
    if (task === undefined) found.push(`${attempt.task}: has attempts and does not exist`);
    else found.push(...strayViolations(task, attempt));
  }
  for (const task of state.tasks.values()) {
    if (task.n !== (last.get(task.key) ?? 0)) {
      found.push(`${task.key}: n is ${task.n} after ${last.get(task.key) ?? 0} attempts`);
    }
  }
  return found;
}
