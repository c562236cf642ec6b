/**
 * Which rows a commit has to write, derived from its facts alone: the counterpart of `evolve`, arm by arm. An entity
 * that `evolve` changes and that is not named here would be stale after a restart; the property tests compare the two
 * after every random history.
 */
import { assertNever } from '../model/assert.ts';
import type { Fact, NewEvent } from '../model/event.ts';
import { projectOfKey } from '../model/found.ts';
import type { NodeName, ProjectName, TaskKey, Token } from '../model/ids.ts';
import { taskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';

/** Keys in the order in which they were first touched, which for new entities is the order of the state's maps. */
export interface Touched {
  /** A controller took over: the state's epoch. */
  epoch: boolean;
  /** `configured`: perhaps no row yet, or another configuration; `moved`: only facts about its queue and its deliveries. */
  readonly projects: Map<ProjectName, 'configured' | 'moved'>;
  /** `heard`: nothing but the place in its journal may be another one, and it may have no row yet; `changed`: anything. */
  readonly nodes: Map<NodeName, 'heard' | 'changed'>;
  readonly credentials: Set<string>;
  readonly alerts: Set<string>;
  /** `added`: no row yet; `respecified`: its spec is another one; `moved`: only facts about its progress. */
  readonly tasks: Map<TaskKey, 'added' | 'respecified' | 'moved'>;
  /** `claimed`: no row yet. */
  readonly attempts: Map<Token, 'claimed' | 'moved'>;
}

/** The entities that these events changed; `state` has them applied. */
export function touchedBy(events: readonly NewEvent[], state: State): Touched {
  const touched: Touched = {
    epoch: false,
    projects: new Map(),
    nodes: new Map(),
    credentials: new Set(),
    alerts: new Set(),
    tasks: new Map(),
    attempts: new Map(),
  };
  for (const event of events) {
    touchByFact(touched, event.fact, state);
    if (event.source !== null) hearNode(touched, event.source.node);
  }
  return touched;
}

/** The task that a fact is about, or null: facts of nodes, projects and deliveries, and news of an unknown attempt. */
export function taskOfFact(fact: Fact, state: State): TaskKey | null {
  if ('spec' in fact) return taskKey(fact.spec.project, fact.spec.id);
  if ('task' in fact) return fact.task;
  if ('token' in fact) return state.attempts.get(fact.token)?.task ?? null;
  return null;
}

function touchByFact(touched: Touched, fact: Fact, state: State): void {
  switch (fact.type) {
    case 'controller.acquired':
      touched.epoch = true;
      return;
    case 'project.configured':
      touched.projects.set(fact.config.name, 'configured');
      return;
    case 'project.based':
    case 'project.started':
    case 'queue.held':
    case 'queue.released':
    case 'gate.proved':
    case 'gate.broke':
    case 'gate.controlled':
    case 'contract.changed':
    case 'contract.accepted':
    case 'delivery.requested':
    case 'delivery.drained':
    case 'delivery.prepared':
    case 'delivery.passed':
    case 'delivery.raced':
    case 'delivery.landed':
    case 'delivery.failed':
      moveProject(touched, fact.project);
      return;
    case 'task.added':
      touched.tasks.set(taskKey(fact.spec.project, fact.spec.id), 'added');
      return;
    case 'task.changed':
      respecifyTask(touched, taskKey(fact.spec.project, fact.spec.id));
      return;
    case 'node.connected':
    case 'node.disconnected':
    case 'node.suspected':
    case 'node.lost':
    case 'node.refused':
    case 'node.probed':
    case 'node.marked':
    case 'node.ailing':
    case 'node.repairing':
    case 'node.repaired':
    case 'node.healed':
      touched.nodes.set(fact.node, 'changed');
      return;
    case 'credential.limited':
    case 'credential.eased':
      touched.credentials.add(fact.credential);
      return;
    case 'alert.raised':
    case 'alert.acked':
    case 'alert.resolved':
      touched.alerts.add(fact.key);
      return;
    case 'alert.told':
      for (const key of [...fact.raised, ...fact.resolved]) touched.alerts.add(key);
      return;
    case 'attempt.claimed':
      touched.attempts.set(fact.token, 'claimed');
      hearNode(touched, fact.node);
      touchSubject(touched, fact.token, state);
      return;
    case 'attempt.running':
    case 'attempt.progressed':
    case 'attempt.stalled':
    case 'attempt.moved':
    case 'attempt.late':
    case 'attempt.kept':
      moveAttempt(touched, fact.token, state);
      return;
    case 'attempt.ended':
      touchNodeOf(touched, fact.token, state);
      moveAttempt(touched, fact.token, state);
      touchSubject(touched, fact.token, state);
      return;
    case 'attempt.fenced':
      moveAttempt(touched, fact.token, state);
      touchSubject(touched, fact.token, state);
      return;
    case 'candidate.accepted':
      moveAttempt(touched, fact.token, state);
      touchSubject(touched, fact.token, state);
      return;
    case 'merge.prepared':
    case 'merge.conflicted':
    case 'merge.predicted':
    case 'merge.refused':
    case 'merge.stalled':
    case 'merge.suspected':
    case 'merge.cleared':
    case 'merge.carried':
    case 'merge.raced':
    case 'review.found':
      touchSubject(touched, fact.token, state);
      return;
    case 'candidate.refused':
    case 'attempt.noted':
    case 'person.intervened':
    case 'controller.slept':
      return;
    case 'merge.doubted':
      touchSubject(touched, fact.token, state);
      touchProjectOf(touched, fact.token, state);
      return;
    case 'merge.passed':
      for (const token of fact.below) touchSubject(touched, token, state);
      touchSubject(touched, fact.token, state);
      touchProjectOf(touched, fact.token, state);
      return;
    case 'merge.landed':
      touchSubject(touched, fact.token, state);
      touchProjectOf(touched, fact.token, state);
      touchDependents(touched, state.attempts.get(fact.token)?.task, state);
      return;
    case 'revert.refused':
      touchSubject(touched, fact.token, state);
      touchDependents(touched, state.attempts.get(fact.token)?.task, state);
      return;
    case 'revert.landed':
      touchSubject(touched, fact.token, state);
      touchProjectOf(touched, fact.token, state);
      return;
    case 'revert.requested':
    case 'task.completed':
      moveTask(touched, fact.task);
      touchDependents(touched, fact.task, state);
      return;
    case 'task.reviewed':
    case 'task.recalled':
    case 'task.handed':
    case 'queue.fronted':
    case 'task.backedoff':
    case 'task.failed':
    case 'task.parked':
    case 'task.cancelled':
    case 'task.retried':
      moveTask(touched, fact.task);
      return;
    default:
      assertNever(fact);
  }
}

function hearNode(touched: Touched, name: NodeName): void {
  if (!touched.nodes.has(name)) touched.nodes.set(name, 'heard');
}

function moveProject(touched: Touched, name: ProjectName): void {
  if (!touched.projects.has(name)) touched.projects.set(name, 'moved');
}

function moveTask(touched: Touched, key: TaskKey): void {
  if (!touched.tasks.has(key)) touched.tasks.set(key, 'moved');
}

function respecifyTask(touched: Touched, key: TaskKey): void {
  if (touched.tasks.get(key) !== 'added') touched.tasks.set(key, 'respecified');
}

/** News of an attempt that nobody knows is only recorded. */
function moveAttempt(touched: Touched, token: Token, state: State): void {
  if (state.attempts.has(token) && !touched.attempts.has(token)) touched.attempts.set(token, 'moved');
}

/** What the attempt is about: its task, or the project whose delivery it gates. */
function touchSubject(touched: Touched, token: Token, state: State): void {
  const attempt = state.attempts.get(token);
  if (attempt === undefined) return;
  const { work } = attempt;
  if (work.kind === 'gate' && work.subject.of !== 'merge') touchProjectOf(touched, token, state);
  else moveTask(touched, attempt.task);
}

/** Its end says something of the node that it ran on. */
function touchNodeOf(touched: Touched, token: Token, state: State): void {
  const attempt = state.attempts.get(token);
  if (attempt !== undefined) touched.nodes.set(attempt.node, 'changed');
}

function touchProjectOf(touched: Touched, token: Token, state: State): void {
  const attempt = state.attempts.get(token);
  if (attempt !== undefined) moveProject(touched, projectOfKey(attempt.task));
}

/** One dependency less to wait for. A dependent that stopped depending in the same commit was touched by that change. */
function touchDependents(touched: Touched, key: TaskKey | undefined, state: State): void {
  if (key === undefined) return;
  for (const dependent of state.dependents.get(key) ?? []) {
    if (state.tasks.has(dependent)) moveTask(touched, dependent);
  }
}
