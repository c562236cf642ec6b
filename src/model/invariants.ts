/**
 * What must hold of every state, whatever happened: the one list that the property tests, the simulator and production
 * check. `violations` looks at a whole state and costs its size; `watch` looks at what the last events touched and costs
 * their number, and also sees what one state alone cannot show: that final stays final, that `n` only grows, that a
 * token merges once. Both return sentences, empty when all is well, and change nothing.
 */
import type { Attempt, GateSubject } from './attempt.ts';
import type { Fact, NewEvent } from './event.ts';
import type { TaskKey, Token } from './ids.ts';
import { taskKey } from './ids.ts';
import { indexesOf, isLive } from './indexes.ts';
import type { TaskSpec } from './spec.ts';
import { MOST_FAULTS } from './health.ts';
import type { NodeState, State } from './state.ts';
import { isFinal, judgedBy, type Progress, type Project, type Task, undoOf } from './task.ts';

/** True when the `modifies` of two tasks can touch the same path (the plan room knows). */
export type Meets = (a: TaskSpec, b: TaskSpec) => boolean;

/** Everything wrong with this state. Without `meets`, locks are not compared with each other. */
export function violations(state: State, meets?: Meets): string[] {
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
  if (meets !== undefined) found.push(...lockViolations(state, meets));
  return found;
}

/**
 * Remembers the state and returns a function to call with each batch of events right after they were applied to it. It
 * returns what these events broke. Per event it costs a few look-ups; with `meets`, per claim one call for each lock held.
 */
export function watch(state: State, meets?: Meets): (events: readonly Pick<NewEvent, 'fact'>[]) => string[] {
  const seen = new Map<TaskKey, Seen>();
  const newest = new Map<TaskKey, Attempt>();
  for (const task of state.tasks.values()) seen.set(task.key, { n: task.n, progress: task.progress });
  for (const attempt of state.attempts.values()) {
    if (attempt.work.kind === 'work') newest.set(attempt.task, attempt);
  }
  return (events) => {
    const found: string[] = [];
    const retried = new Set<TaskKey>();
    const reverting = new Set<TaskKey>();
    const touched = new Set<TaskKey>();
    for (const { fact } of events) {
      const key = taskOf(fact, state);
      if (key === null || !state.tasks.has(key)) continue;
      touched.add(key);
      if (fact.type === 'task.retried') retried.add(key);
      if (fact.type === 'revert.requested') reverting.add(key);
      if (fact.type === 'merge.landed' || fact.type === 'task.completed') {
        found.push(...mergeViolations(seen, key, fact.token));
      }
      if (fact.type === 'attempt.claimed' && fact.work.kind === 'work') {
        found.push(...claimViolations(state, fact, newest.get(key), meets));
        const attempt = state.attempts.get(fact.token);
        if (attempt !== undefined) newest.set(key, attempt);
      }
    }
    for (const key of touched) {
      const task = state.tasks.get(key);
      if (task === undefined) continue;
      found.push(
        ...stepViolations(seen.get(key), task, { retried: retried.has(key), reverting: reverting.has(key) }),
      );
      found.push(...strayViolations(task, newest.get(key)));
      found.push(...taskViolations(state, task));
      seen.set(key, { n: task.n, progress: task.progress });
    }
    return found;
  };
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
  meets: Meets | undefined,
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
  if (meets !== undefined && task.locked) {
    for (const key of state.locked) {
      const other = state.tasks.get(key);
      if (other === undefined || other === task) continue;
      if (other.spec.project === task.spec.project && meets(task.spec, other.spec)) {
        found.push(`${task.key} and ${key}: both hold locks that meet`);
      }
    }
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

/** A live attempt is the one that its task is at. A task is at one token only, so this also forbids two live ones. */
function strayViolations(task: Task, attempt: Attempt | undefined): string[] {
  if (attempt === undefined || !isLive(attempt)) return [];
  const { progress } = task;
  if (progress.at === 'attempt' && progress.token === attempt.token) return [];
  return [`${task.key}: attempt ${attempt.n} lives while the task is ${progress.at}`];
}

/** What must hold of one task by itself; costs a few look-ups. */
function taskViolations(state: State, task: Task): string[] {
  const { key, progress, spec } = task;
  const found: string[] = [];
  if (key !== taskKey(spec.project, spec.id)) found.push(`${key}: its spec is that of ${spec.id}`);
  const unmet = unmetOf(state, task);
  if (task.unmet !== unmet)
    found.push(`${key}: unmet is ${task.unmet}, of its dependencies ${unmet} have not merged`);
  if ((task.readySince !== null) !== (unmet === 0))
    found.push(`${key}: readySince does not agree with unmet`);
  if (isFinal(progress) && task.locked) found.push(`${key}: ${progress.at} and still locked`);
  if (progress.at === 'open' && unmet > 0 && task.locked)
    found.push(`${key}: holds its lock while it waits for a dependency`);
  // The reverse of what has merged is no work: nobody is kept from starting by it.
  const undoing = undoOf(progress) !== undefined;
  if (undoing && task.locked) found.push(`${key}: is being reverted and still locked`);
  if (mayMerge(progress) && !undoing && !task.locked) found.push(`${key}: ${progress.at} without its lock`);
  if (mayMerge(progress) || progress.at === 'merged') found.push(...tokenViolations(state, task, progress));
  found.push(...membership(state.startable, key, progress.at === 'open' && unmet === 0, 'startable'));
  found.push(...membership(state.active, key, progress.at !== 'open' && !isFinal(progress), 'active'));
  found.push(...membership(state.locked, key, task.locked, 'locked'));
  return found;
}

type Underway = Extract<
  Progress,
  { at: 'attempt' | 'finished' | 'review' | 'queued' | 'gating' | 'landing' }
>;

/** The states in which the task's token is on its way to a merge. */
function mayMerge(progress: Progress): progress is Underway {
  switch (progress.at) {
    case 'attempt':
    case 'finished':
    case 'review':
    case 'queued':
    case 'gating':
    case 'landing':
      return true;
    default:
      return false;
  }
}

/** The token that merges is the task's newest work attempt, and its node said done; a fenced one never merges. */
function tokenViolations(
  state: State,
  task: Task,
  progress: Underway | Extract<Progress, { at: 'merged' }>,
): string[] {
  const attempt = state.attempts.get(progress.token);
  if (attempt === undefined) return [`${task.key}: ${progress.at} with an unknown token`];
  const found: string[] = [];
  if (attempt.task !== task.key || attempt.work.kind !== 'work') {
    found.push(`${task.key}: ${progress.at} with a token that is not its work`);
  }
  if (attempt.n !== task.n) found.push(`${task.key}: ${progress.at} with attempt ${attempt.n} of ${task.n}`);
  if (progress.at === 'attempt') return found;
  const { phase } = attempt;
  if (phase.is !== 'ended' || phase.outcome.kind !== 'done') {
    found.push(`${task.key}: ${progress.at} although its attempt is ${phase.is}, and not done`);
  } else if ('head' in progress && phase.outcome.head !== progress.head) {
    found.push(`${task.key}: ${progress.at} with another commit than its attempt made`);
  }
  if (progress.at === 'gating' && progress.gate !== null) {
    const { token: workToken } = progress;
    const subject = { of: 'merge', workToken, may: judgedBy(progress) } as const;
    found.push(...gateViolations(state, task.key, progress.gate, subject));
  }
  return found;
}

/** The gate that is waited for lives, and judges exactly what will land. */
function gateViolations(
  state: State,
  what: string,
  token: Token,
  subject: {
    of: GateSubject['of'];
    workToken?: Token;
    may: readonly { readonly commit: string; readonly tree: string }[];
  },
): string[] {
  const gate = state.attempts.get(token);
  if (gate === undefined || gate.work.kind !== 'gate')
    return [`${what}: waits for a gate that does not exist`];
  const found: string[] = [];
  if (!isLive(gate)) found.push(`${what}: waits for a gate that is ${gate.phase.is}`);
  const judged = gate.work.subject;
  const { commit, tree } = judged;
  if (judged.of !== subject.of || !subject.may.some((one) => one.commit === commit && one.tree === tree)) {
    found.push(`${what}: its gate judges something else`);
  }
  if (judged.of === 'merge' && judged.workToken !== subject.workToken) {
    found.push(`${what}: its gate judges another attempt`);
  }
  return found;
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

function indexViolations(state: State): string[] {
  const right = indexesOf(state.tasks, state.attempts);
  const found = [
    ...sameSets('startable', state.startable, right.startable),
    ...sameSets('active', state.active, right.active),
    ...sameSets('locked', state.locked, right.locked),
    ...sameMaps('dependents', state.dependents, right.dependents),
    ...sameMaps('live', state.live, right.live),
  ];
  for (const token of state.fenced) {
    const phase = state.attempts.get(token)?.phase.is;
    if (phase !== 'fenced') found.push(`fenced: ${token} is ${phase ?? 'unknown'}`);
  }
  return found;
}

function sameMaps(
  name: string,
  kept: ReadonlyMap<string, ReadonlySet<string>>,
  right: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const none: ReadonlySet<string> = new Set();
  return [...new Set([...kept.keys(), ...right.keys()])].flatMap((key) =>
    sameSets(`${name} of ${key}`, kept.get(key) ?? none, right.get(key) ?? none),
  );
}

function sameSets(name: string, kept: ReadonlySet<string>, right: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const item of right) if (!kept.has(item)) found.push(`index ${name}: ${item} is missing`);
  for (const item of kept) if (!right.has(item)) found.push(`index ${name}: ${item} does not belong there`);
  return found;
}

function membership(index: ReadonlySet<TaskKey>, key: TaskKey, belongs: boolean, name: string): string[] {
  if (index.has(key) === belongs) return [];
  return [`index ${name}: ${key} ${belongs ? 'is missing' : 'does not belong there'}`];
}

function lockViolations(state: State, meets: Meets): string[] {
  const found: string[] = [];
  const held = [...state.locked].flatMap((key) => state.tasks.get(key) ?? []);
  for (const [index, task] of held.entries()) {
    for (const other of held.slice(index + 1)) {
      if (task.spec.project === other.spec.project && meets(task.spec, other.spec)) {
        found.push(`${task.key} and ${other.key}: both hold locks that meet`);
      }
    }
  }
  return found;
}

function unmetOf(state: State, task: Task): number {
  let unmet = 0;
  for (const id of new Set(task.spec.dependsOn)) {
    if (state.tasks.get(taskKey(task.spec.project, id))?.progress.at !== 'merged') unmet += 1;
  }
  return unmet;
}
