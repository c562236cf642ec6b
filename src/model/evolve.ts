/**
 * The one door through which state changes: `evolve(state, event)`. It is total over the facts, deterministic, and
 * has no clock, randomness or I/O, so replaying the log gives the same state. A fact that does not fit the state it
 * meets is a defect of whoever produced it and throws `IllegalFact`; races are decided before a fact is produced.
 */
import { assertNever } from './assert.ts';
import type { Attempt, AttemptPhase, GateSubject, Outcome } from './attempt.ts';
import { passes } from './credential.ts';
import type { Event, Fact } from './event.ts';
import { type Basis, evidenceKey } from './evidence.ts';
import { afterGreen, afterRed } from './gate-record.ts';
import type { CommitId, NodeName, ProjectName, TaskKey, Token } from './ids.ts';
import { taskKey } from './ids.ts';
import type { TaskSpec } from './spec.ts';
import type { NodeState, State } from './state.ts';
import {
  type Gating,
  isFinal,
  judgedBy,
  type Progress,
  type Project,
  type Task,
  type TestBaseline,
  type Undo,
  undoOf,
} from './task.ts';

/** How many green gates a project remembers. */
const GREEN_KEPT = 512;
/** How many tries on a broken copy. */
const CONTROLS_KEPT = 512;
/** For how many verify commands. */
const TESTS_KEPT = 64;

export class IllegalFact extends Error {
  readonly fact: Fact;
  constructor(fact: Fact, why: string) {
    super(`${fact.type}: ${why}`);
    this.name = 'IllegalFact';
    this.fact = fact;
  }
}

/** Applies one event in place. Throws IllegalFact when the event does not fit; the state may then be partly changed and must be rebuilt. */
export function evolve(state: State, event: Event): void {
  applyFact(state, event.fact, event);
  if (event.source !== null) {
    const node = nodeOf(state, event.source.node);
    node.journal = event.source.journal;
    node.cursor = Math.max(node.cursor, event.source.seq);
  }
}

function applyFact(state: State, fact: Fact, event: Event): void {
  switch (fact.type) {
    case 'controller.acquired':
      state.epoch = event.epoch;
      return;
    case 'controller.slept':
      return;
    case 'project.configured':
      return configureProject(state, fact);
    case 'project.based':
      return baseProject(state, fact);
    case 'project.started':
      projectOf(state, fact.project, fact).started = true;
      return;
    case 'task.added':
      return addTask(state, fact, event.at);
    case 'task.changed':
      return changeTask(state, fact, event.at);
    case 'node.connected':
      return connectNode(state, fact);
    case 'node.disconnected':
    case 'node.refused':
      nodeOf(state, fact.node);
      return;
    case 'node.probed': {
      const node = nodeOf(state, fact.node);
      node.programs = { ...node.programs, ...fact.programs };
      return;
    }
    case 'node.marked':
      nodeOf(state, fact.node).mark = fact.mark;
      return;
    case 'attempt.claimed':
      return claimAttempt(state, fact, event);
    case 'attempt.running': {
      const attempt = attemptOf(state, fact.token, fact);
      expect(attempt.phase.is === 'claimed', fact, `attempt is ${attempt.phase.is}`);
      attempt.phase = { is: 'running', since: event.at, round: 1, step: 'prepare' };
      attempt.startedAt = event.at;
      return;
    }
    case 'attempt.progressed': {
      const attempt = attemptOf(state, fact.token, fact);
      const { phase } = attempt;
      expect(phase.is === 'running', fact, `attempt is ${phase.is}`);
      if (phase.is === 'running') attempt.phase = { ...phase, round: fact.round, step: fact.step };
      return;
    }
    case 'attempt.ended':
      return endAttempt(state, fact, event.at);
    case 'attempt.fenced':
      return fenceAttempt(state, fact, event.at);
    case 'attempt.late':
      state.fenced.delete(fact.token);
      return;
    case 'credential.limited': {
      const { credential: name, why, message, limit, seen, notBefore, strikes } = fact;
      const refusals = (state.credentials.get(name)?.refusals ?? 0) + 1;
      const refused = { at: event.at, why, message };
      state.credentials.set(name, { name, limit, seen, notBefore, strikes, refused, refusals });
      return;
    }
    case 'credential.eased': {
      const { credential: name, limit, notBefore, strikes } = fact;
      const known = state.credentials.get(name);
      if (known === undefined) throw new IllegalFact(fact, `no credential ${name} was ever refused`);
      state.credentials.set(name, { ...known, limit, notBefore, strikes });
      return;
    }
    case 'candidate.accepted': {
      const { task } = workOf(state, fact.token, fact, ['finished']);
      const attempt = attemptOf(state, fact.token, fact);
      if (attempt.phase.is === 'ended') {
        const { changed, changesTests = null, dropsTests } = fact;
        const branch = { changed, tests: changesTests };
        attempt.phase = { ...attempt.phase, branch, ...(dropsTests === true ? { dropsTests } : {}) };
      }
      const { review, priority } = task.spec;
      const policy = projectOf(state, task.spec.project, fact).config.review;
      const asked = review || policy === 'always' || (policy === 'p0' && priority === 0);
      const { token, head, approvals = [] } = fact;
      const since = event.at;
      if (approvals.length > 0) setProgress(state, task, { at: 'review', token, head, since, approvals });
      else
        setProgress(
          state,
          task,
          asked ? { at: 'review', token, head, since } : queued({ token, head, since }),
        );
      return;
    }
    case 'candidate.refused':
      workOf(state, fact.token, fact, ['finished']);
      return;
    case 'task.reviewed': {
      const task = taskOf(state, fact.task, fact);
      const { progress } = task;
      if (progress.at !== 'review') throw new IllegalFact(fact, `task is ${progress.at}`);
      if (fact.approved) setProgress(state, task, queued({ ...progress, since: event.at }));
      return;
    }
    case 'merge.prepared': {
      const { task, progress } = workOf(state, fact.token, fact, ['queued']);
      if (progress.at !== 'queued') throw new IllegalFact(fact, `task is ${progress.at}`);
      const { onto, commit, tree, areas } = fact;
      const { token, head, cleared } = progress;
      setProgress(state, task, {
        at: 'gating',
        token,
        head,
        onto,
        commit,
        tree,
        gate: null,
        cleared,
        aside: fact.aside ? { backers: [] } : null,
        red: null,
        since: event.at,
        ...(areas === undefined ? {} : { areas }),
        ...undoing(progress),
      });
      return;
    }
    case 'gate.proved': {
      const project = projectOf(state, fact.project, fact);
      rememberGreen(project, evidenceKey(fact.tree, fact));
      project.broken = null;
      const red = fact.token === undefined ? null : redOf(state, fact.token, fact);
      const { runs: reds = 0, failed = [] } = red !== null && isSameRun(red, fact) ? red : {};
      project.gates = afterGreen(project.gates, fact.verify, { reds, failed, at: event.at });
      return;
    }
    case 'gate.broke': {
      const { reason, times } = fact;
      projectOf(state, fact.project, fact).broken = { reason, times, since: event.at };
      return;
    }
    case 'gate.controlled':
      return rememberControl(projectOf(state, fact.project, fact), fact, event);
    case 'merge.doubted': {
      const { task, progress } = gatingOf(state, fact.token, fact);
      const { findings, output, verify, environment, failed: named = [] } = fact;
      const before = progress.red !== null && isSameRun(progress.red, fact) ? progress.red : null;
      const project = projectOf(state, task.spec.project, fact);
      project.broken = null;
      project.gates = afterRed(project.gates, verify);
      const runs = (before?.runs ?? 0) + 1;
      const failed = [...new Set([...(before?.failed ?? []), ...named])];
      setProgress(state, task, { ...progress, red: { runs, findings, output, verify, environment, failed } });
      return;
    }
    case 'merge.suspected': {
      const { task, progress } = gatingOf(state, fact.token, fact);
      setProgress(state, task, { ...progress, aside: { backers: fact.backers } });
      return;
    }
    case 'merge.cleared': {
      const { task, progress } = gatingOf(state, fact.token, fact);
      const { token, head } = progress;
      setProgress(state, task, queued({ token, head, since: event.at, cleared: true, ...undoing(progress) }));
      return;
    }
    case 'merge.carried': {
      const { task, progress } = gatingOf(state, fact.token, fact);
      setProgress(state, task, { ...progress, onto: fact.onto });
      return;
    }
    case 'merge.conflicted': {
      const { task, progress } = judgedOf(state, fact.token, fact);
      expect(undoOf(progress) === undefined, fact, 'a revert does not go back to an agent');
      task.returns += 1;
      task.feedback = { why: 'conflict', clash: fact.clash, previous: progress.head };
      setProgress(state, task, { at: 'open' });
      return;
    }
    case 'merge.predicted': {
      const { task, progress } = judgedOf(state, fact.token, fact);
      const { onto, clash } = fact;
      const predicted = clash === null ? {} : { predicted: { onto, clash } };
      setProgress(state, task, { ...unforeseen(progress), ...predicted });
      return;
    }
    case 'merge.refused': {
      const { task, progress } = gatingOf(state, fact.token, fact);
      expect(progress.undo === undefined, fact, 'a revert does not go back to an agent');
      task.returns += 1;
      task.feedback = { why: 'gate', findings: fact.findings, output: fact.output, previous: progress.head };
      setProgress(state, task, { at: 'open' });
      return;
    }
    case 'merge.stalled': {
      workOf(state, fact.token, fact, ['gating']).task.notBefore = fact.notBefore;
      return;
    }
    case 'merge.passed':
      return passMerge(state, fact);
    case 'merge.landed': {
      const { task, progress } = workOf(state, fact.token, fact, ['landing']);
      if (progress.at !== 'landing') throw new IllegalFact(fact, `task is ${progress.at}`);
      expect(progress.undo === undefined, fact, 'what lands is a revert');
      moveIntegration(state, task, fact);
      mergeTask(state, task, { at: 'merged', token: fact.token, commit: fact.commit, when: event.at });
      return;
    }
    case 'merge.raced': {
      const { task, progress } = workOf(state, fact.token, fact, ['gating', 'landing']);
      if (progress.at !== 'gating' && progress.at !== 'landing') throw new IllegalFact(fact, 'not merging');
      const { token, head, cleared } = progress;
      setProgress(state, task, queued({ token, head, since: event.at, cleared, ...undoing(progress) }));
      return;
    }
    case 'revert.requested':
      return requestRevert(state, fact, event.at);
    case 'revert.refused': {
      const { task, progress } = workOf(state, fact.token, fact, ['queued', 'gating']);
      const undo = undoOf(progress);
      if (undo === undefined) throw new IllegalFact(fact, 'no revert is under way');
      const { commit, when } = undo;
      mergeTask(state, task, { at: 'merged', token: fact.token, commit, when });
      return;
    }
    case 'revert.landed':
      return landRevert(state, fact, event.at);
    case 'queue.held': {
      const { by, reason } = fact;
      projectOf(state, fact.project, fact).hold = { reason, by, since: event.at };
      return;
    }
    case 'queue.fronted': {
      const task = taskOf(state, fact.task, fact);
      expect(!isFinal(task.progress), fact, `task is ${task.progress.at}`);
      task.front = event.at;
      return;
    }
    case 'queue.released': {
      const project = projectOf(state, fact.project, fact);
      project.hold = null;
      project.broken = null;
      return;
    }
    case 'task.completed': {
      const task = taskOf(state, fact.task, fact);
      const attempt = attemptOf(state, fact.token, fact);
      expect(isAt(task, attempt), fact, `task is ${task.progress.at}`);
      expect(attempt.phase.is === 'ended', fact, `attempt is ${attempt.phase.is}`);
      mergeTask(state, task, { at: 'merged', token: fact.token, commit: null, when: event.at });
      return;
    }
    case 'task.backedoff': {
      const task = taskOf(state, fact.task, fact);
      expect(!isFinal(task.progress), fact, `task is ${task.progress.at}`);
      task.notBefore = fact.notBefore;
      setProgress(state, task, { at: 'open' });
      return;
    }
    case 'task.failed': {
      const task = taskOf(state, fact.task, fact);
      expect(!isFinal(task.progress), fact, `task is ${task.progress.at}`);
      setProgress(state, task, {
        at: 'failed',
        reason: fact.reason,
        findings: fact.findings,
        when: event.at,
      });
      return;
    }
    case 'task.parked': {
      const task = taskOf(state, fact.task, fact);
      expect(!isFinal(task.progress), fact, `task is ${task.progress.at}`);
      setProgress(state, task, { at: 'parked', reason: fact.reason, token: fact.token, since: event.at });
      return;
    }
    case 'task.cancelled': {
      const task = taskOf(state, fact.task, fact);
      expect(!isFinal(task.progress), fact, `task is ${task.progress.at}`);
      expect(undoOf(task.progress) === undefined, fact, 'what it did has merged');
      setProgress(state, task, { at: 'cancelled', reason: fact.reason, when: event.at });
      return;
    }
    case 'task.retried': {
      const task = taskOf(state, fact.task, fact);
      const { at } = task.progress;
      expect(
        at === 'failed' || at === 'cancelled' || at === 'parked' || at === 'reverted' || at === 'open',
        fact,
        `task is ${at}`,
      );
      task.failures = 0;
      task.losses = 0;
      task.returns = 0;
      task.notBefore = 0;
      setProgress(state, task, { at: 'open' });
      return;
    }
    case 'delivery.requested': {
      const project = projectOf(state, fact.project, fact);
      project.delivery ??= { at: 'draining' };
      if (project.hold === null) project.broken = null;
      return;
    }
    case 'delivery.drained':
    case 'delivery.raced':
      projectOf(state, fact.project, fact).delivery = { at: 'preparing' };
      return;
    case 'delivery.prepared': {
      const { commit, tree, onto, targetTip } = fact;
      projectOf(state, fact.project, fact).delivery = {
        at: 'gating',
        commit,
        tree,
        onto,
        targetTip,
        gate: null,
      };
      return;
    }
    case 'delivery.passed': {
      const project = projectOf(state, fact.project, fact);
      const { delivery } = project;
      if (delivery?.at !== 'gating') throw new IllegalFact(fact, 'no delivery is being gated');
      expect(delivery.tree === fact.tree, fact, 'the tree that passed is not the tree that is gated');
      const { commit, tree, onto, targetTip } = delivery;
      project.delivery = { at: 'pushing', commit, tree, onto, targetTip };
      return;
    }
    case 'delivery.landed': {
      const project = projectOf(state, fact.project, fact);
      if (project.delivery?.at === 'pushing') project.integration = fact.commit;
      rememberTests(project, fact.tests);
      project.delivery = null;
      project.delivered = { commit: fact.commit, when: event.at };
      return;
    }
    case 'delivery.failed': {
      const project = projectOf(state, fact.project, fact);
      project.delivery = null;
      if (fact.verify !== undefined) {
        project.broken = null;
        project.gates = afterRed(project.gates, fact.verify);
      }
      return;
    }
    default:
      assertNever(fact);
  }
}

/** Somewhere else than where the last gate counted: how many tests there are is not known any more. */
function baseProject(state: State, fact: Extract<Fact, { type: 'project.based' }>): void {
  const project = projectOf(state, fact.project, fact);
  project.integration = fact.integration;
  project.tests = [];
}

function rememberTests(project: Project, counted: readonly TestBaseline[] = []): void {
  if (counted.length === 0) return;
  const now = new Set(counted.map(({ verify }) => verify));
  const others = project.tests.filter(({ verify }) => !now.has(verify));
  project.tests = [...others, ...counted].slice(-TESTS_KEPT);
}

/** The newest word on a command in an environment, with these files, counts; a skip is a word on whatever files there are. */
function rememberControl(
  project: Project,
  fact: Extract<Fact, { type: 'gate.controlled' }>,
  { at, epoch }: Event,
): void {
  const { verify, environment, files, tree, verdict, note } = fact;
  const others = project.controls.filter(
    (one) => one.verify !== verify || one.environment !== environment || one.files !== files,
  );
  const control = { verify, environment, files, tree, verdict, note, at, epoch };
  if (verdict !== 'skipped') project.broken = null;
  project.controls = [...others, control].slice(-CONTROLS_KEPT);
}

function configureProject(state: State, fact: Extract<Fact, { type: 'project.configured' }>): void {
  const { config } = fact;
  const known = state.projects.get(config.name);
  if (known !== undefined) {
    known.config = config;
    return;
  }
  state.projects.set(config.name, {
    name: config.name,
    config,
    started: false,
    integration: null,
    green: [],
    tests: [],
    gates: [],
    delivery: null,
    broken: null,
    controls: [],
    hold: null,
    delivered: null,
  });
}

function addTask(state: State, fact: Extract<Fact, { type: 'task.added' }>, at: number): void {
  const { spec } = fact;
  const key = taskKey(spec.project, spec.id);
  expect(!state.tasks.has(key), fact, 'the task exists');
  projectOf(state, spec.project, fact);
  const task: Task = {
    key,
    spec,
    order: state.tasks.size + 1,
    addedAt: at,
    n: 0,
    progress: { at: 'open' },
    returns: 0,
    failures: 0,
    losses: 0,
    notBefore: 0,
    front: null,
    readySince: null,
    unmet: 0,
    locked: false,
    feedback: null,
  };
  state.tasks.set(key, task);
  linkDependencies(state, task, at);
  reindex(state, task);
}

function changeTask(state: State, fact: Extract<Fact, { type: 'task.changed' }>, at: number): void {
  const task = taskOf(state, taskKey(fact.spec.project, fact.spec.id), fact);
  const merged = task.progress.at === 'merged' || undoOf(task.progress) !== undefined;
  expect(!merged, fact, 'the task has merged');
  for (const dependency of task.spec.dependsOn) {
    const waiting = state.dependents.get(taskKey(task.spec.project, dependency));
    waiting?.delete(task.key);
    // No empty set stays behind, so that the index is a function of the tasks alone.
    if (waiting?.size === 0) state.dependents.delete(taskKey(task.spec.project, dependency));
  }
  task.spec = fact.spec;
  task.readySince = null;
  linkDependencies(state, task, at);
  reindex(state, task);
}

/** Counts what is still unmerged. A dependency that is not in the store yet counts as unmet until it is added and merges. */
function linkDependencies(state: State, task: Task, at: number): void {
  task.unmet = 0;
  for (const dependency of new Set(task.spec.dependsOn)) {
    const key = taskKey(task.spec.project, dependency);
    const waiting = state.dependents.get(key) ?? new Set<TaskKey>();
    waiting.add(task.key);
    state.dependents.set(key, waiting);
    if (state.tasks.get(key)?.progress.at !== 'merged') task.unmet += 1;
  }
  if (task.unmet === 0) task.readySince ??= at;
}

function connectNode(state: State, fact: Extract<Fact, { type: 'node.connected' }>): void {
  const node = nodeOf(state, fact.node);
  if (node.journal !== fact.journal) {
    node.journal = fact.journal;
    node.cursor = 0;
  }
  node.bootId = fact.bootId;
  node.program = fact.program;
}

function claimAttempt(state: State, fact: Extract<Fact, { type: 'attempt.claimed' }>, event: Event): void {
  const { token, task: key, n, work, node, base, credential, executor } = fact;
  expect(!state.attempts.has(token), fact, 'the token is in use');
  const attempt: Attempt = {
    token,
    task: key,
    n,
    work,
    node,
    epoch: event.epoch,
    base,
    claimedAt: event.at,
    phase: { is: 'claimed' },
    startedAt: null,
    ...(credential === undefined ? {} : { credential }),
    ...(executor === undefined ? {} : { executor }),
  };
  if (work.kind === 'work') claimWork(state, fact);
  else claimGate(state, fact, work.subject);
  state.attempts.set(token, attempt);
  nodeOf(state, node);
  liveOn(state, node).add(token);
}

function claimWork(state: State, fact: Extract<Fact, { type: 'attempt.claimed' }>): void {
  const task = taskOf(state, fact.task, fact);
  expect(task.progress.at === 'open', fact, `task is ${task.progress.at}`);
  expect(task.unmet === 0, fact, 'a dependency has not merged');
  expect(fact.n === task.n + 1, fact, `attempt ${fact.n} after ${task.n}`);
  task.n = fact.n;
  task.locked = true;
  setProgress(state, task, { at: 'attempt', token: fact.token });
}

function claimGate(
  state: State,
  fact: Extract<Fact, { type: 'attempt.claimed' }>,
  subject: GateSubject,
): void {
  if (subject.of === 'control') {
    projectOf(state, projectOfKey(fact.task), fact);
    return;
  }
  if (subject.of === 'merge') {
    const { task, progress } = workOf(state, subject.workToken, fact, ['gating']);
    if (progress.at !== 'gating' || progress.gate !== null)
      throw new IllegalFact(fact, 'a gate is at work already');
    setProgress(state, task, { ...progress, gate: fact.token });
    return;
  }
  const project = projectOf(state, projectOfKey(fact.task), fact);
  const { delivery } = project;
  if (delivery?.at !== 'gating' || delivery.gate !== null)
    throw new IllegalFact(fact, 'a gate is at work already');
  project.delivery = { ...delivery, gate: fact.token };
}

function endAttempt(state: State, fact: Extract<Fact, { type: 'attempt.ended' }>, at: number): void {
  const attempt = attemptOf(state, fact.token, fact);
  close(state, attempt, { is: 'ended', at, outcome: fact.outcome }, fact);
  if (attempt.work.kind === 'gate') return;
  const task = taskOf(state, attempt.task, fact);
  // Whoever takes a task from a live attempt fences the attempt: its end must not move a task that is final or elsewhere.
  expect(isAt(task, attempt), fact, `task is ${task.progress.at}`);
  const { outcome } = fact;
  switch (outcome.kind) {
    case 'done':
      if (outcome.head !== null) {
        setProgress(state, task, { at: 'finished', token: fact.token, head: outcome.head, since: at });
      }
      return;
    case 'failed':
      if (!isNobodysFault(attempt, outcome)) task.failures += 1;
      return;
    case 'timeout':
      task.failures += 1;
      return;
    case 'lost':
      task.losses += 1;
      return;
    case 'refused':
    case 'cancelled':
      return;
    default:
      assertNever(outcome);
  }
}

/** Its key was refused for a reason that passes: the task is tried again for as long as that takes. */
export function isNobodysFault(
  { credential }: Attempt,
  { refusal }: Extract<Outcome, { kind: 'failed' }>,
): boolean {
  return credential !== undefined && refusal !== undefined && passes(refusal.kind);
}

function isAt(task: Task, attempt: Attempt): boolean {
  const { progress } = task;
  return progress.at === 'attempt' && progress.token === attempt.token && task.key === attempt.task;
}

function fenceAttempt(state: State, fact: Extract<Fact, { type: 'attempt.fenced' }>, at: number): void {
  const attempt = attemptOf(state, fact.token, fact);
  close(state, attempt, { is: 'fenced', at, reason: fact.reason }, fact);
  state.fenced.add(attempt.token);
}

/** Ends a live attempt; a gate's subject is freed so that another gate may be claimed for it. */
function close(state: State, attempt: Attempt, phase: AttemptPhase, fact: Fact): void {
  expect(
    attempt.phase.is === 'claimed' || attempt.phase.is === 'running',
    fact,
    `attempt is ${attempt.phase.is}`,
  );
  attempt.phase = phase;
  liveOn(state, attempt.node).delete(attempt.token);
  if (attempt.work.kind === 'work') return;
  const { subject } = attempt.work;
  if (subject.of === 'control') return;
  if (subject.of === 'merge') {
    const task = state.tasks.get(attempt.task);
    const progress = task?.progress;
    if (task !== undefined && progress?.at === 'gating' && progress.gate === attempt.token) {
      setProgress(state, task, { ...progress, gate: null });
    }
    return;
  }
  const project = projectOf(state, projectOfKey(attempt.task), fact);
  const { delivery } = project;
  if (delivery?.at === 'gating' && delivery.gate === attempt.token)
    project.delivery = { ...delivery, gate: null };
}

/** The part of the stack below a green tree goes to land as one. */
function passMerge(state: State, fact: Extract<Fact, { type: 'merge.passed' }>): void {
  const { task, progress: top } = gatingOf(state, fact.token, fact);
  expect(top.tree === fact.tree, fact, 'the tree that passed is not the tree that is gated');
  const parts = [...fact.below, fact.token].map((token) => gatingOf(state, token, fact));
  const onto = parts[0]?.progress.onto ?? top.onto;
  const { commit, tree } = top;
  let below = onto;
  for (const [place, { task: part, progress }] of parts.entries()) {
    expect(progress.onto === below, fact, `${part.key} does not stand on what is below it`);
    expect(part.spec.project === task.spec.project, fact, `${part.key} is of another project`);
    below = progress.commit;
    const { token, head, cleared } = progress;
    const landing = { at: 'landing', token, head, onto, commit, tree, place, cleared } as const;
    setProgress(state, part, { ...landing, ...undoing(progress) });
  }
}

function queued(judged: {
  readonly token: Token;
  readonly head: CommitId;
  readonly since: number;
  readonly cleared?: boolean;
  readonly undo?: Undo;
}): Progress {
  const { token, head, since, cleared = false } = judged;
  return { at: 'queued', token, head, cleared, since, ...undoing(judged) };
}

function undoing({ undo }: { readonly undo?: Undo }): { undo?: Undo } {
  return undo === undefined ? {} : { undo };
}

/** Integration goes on to what has landed. */
function moveIntegration(
  state: State,
  task: Task,
  fact: Extract<Fact, { type: 'merge.landed' | 'revert.landed' }>,
): void {
  const project = projectOf(state, task.spec.project, fact);
  // After a crash between the landing and its record, integration may have been read from the hub already.
  const known = project.integration === fact.onto || project.integration === fact.commit;
  expect(known, fact, 'integration is not where the merge was made');
  project.integration = fact.commit;
  rememberTests(project, fact.tests);
}

/** Whoever depends on it waits from now on; what is at work already goes on, and the gates judge it without. */
function requestRevert(state: State, fact: Extract<Fact, { type: 'revert.requested' }>, at: number): void {
  const task = taskOf(state, fact.task, fact);
  const { progress } = task;
  if (progress.at !== 'merged') throw new IllegalFact(fact, `task is ${progress.at}`);
  const { token, commit, when } = progress;
  const head = headOf(attemptOf(state, token, fact));
  if (commit === null || head === null) throw new IllegalFact(fact, 'it merged nothing');
  const { by, reason } = fact;
  setProgress(state, task, queued({ token, head, since: at, undo: { by, reason, commit, when } }));
  for (const key of state.dependents.get(task.key) ?? []) {
    const dependent = state.tasks.get(key);
    if (dependent === undefined) continue;
    dependent.unmet += 1;
    dependent.readySince = null;
    releaseIfWaiting(dependent);
    reindex(state, dependent);
  }
}

function landRevert(state: State, fact: Extract<Fact, { type: 'revert.landed' }>, at: number): void {
  const { task, progress } = workOf(state, fact.token, fact, ['landing']);
  const undo = undoOf(progress);
  if (progress.at !== 'landing' || undo === undefined) throw new IllegalFact(fact, 'what lands is no revert');
  moveIntegration(state, task, fact);
  // What was counted with the work in it is too much for the tree without: only a count of this tree is known.
  projectOf(state, task.spec.project, fact).tests = fact.tests ?? [];
  const { token, commit } = fact;
  const { by, reason } = undo;
  task.feedback = { why: 'reverted', reason, previous: progress.head };
  setProgress(state, task, { at: 'reverted', token, commit, by, reason, when: at });
}

function headOf({ phase }: Attempt): CommitId | null {
  return phase.is === 'ended' && phase.outcome.kind === 'done' ? phase.outcome.head : null;
}

function mergeTask(state: State, task: Task, progress: Extract<Progress, { at: 'merged' }>): void {
  setProgress(state, task, progress);
  for (const key of state.dependents.get(task.key) ?? []) {
    const dependent = state.tasks.get(key);
    if (dependent === undefined) continue;
    dependent.unmet -= 1;
    if (dependent.unmet === 0) dependent.readySince ??= progress.when;
    reindex(state, dependent);
  }
}

function setProgress(state: State, task: Task, progress: Progress): void {
  task.progress = progress;
  if (isFinal(progress)) task.locked = false;
  if (progress.at === 'merged') task.feedback = null;
  releaseIfWaiting(task);
  reindex(state, task);
}

/** A task that waits for a reverted one to be done again must not hold paths that this one needs. */
function releaseIfWaiting(task: Task): void {
  if (task.progress.at === 'open' && task.unmet > 0) task.locked = false;
}

function reindex(state: State, task: Task): void {
  const { key, progress } = task;
  put(state.startable, key, progress.at === 'open' && task.unmet === 0);
  put(state.active, key, progress.at !== 'open' && !isFinal(progress));
  put(state.locked, key, task.locked);
}

function put<T>(set: Set<T>, item: T, present: boolean): void {
  if (present) set.add(item);
  else set.delete(item);
}

/** What was red on the tree that is green now. */
function redOf(state: State, token: Token, fact: Extract<Fact, { type: 'gate.proved' }>): Gating['red'] {
  const { progress } = gatingOf(state, token, fact);
  const known = judgedBy(progress).some(({ tree }) => tree === fact.tree);
  expect(known, fact, 'the tree that is green is not the tree that is gated');
  return progress.red;
}

function isSameRun(one: Basis, other: Basis): boolean {
  return one.verify === other.verify && one.environment === other.environment;
}

function rememberGreen(project: Project, key: string): void {
  if (project.green.includes(key)) return;
  project.green.push(key);
  if (project.green.length > GREEN_KEPT) project.green.shift();
}

function workOf(
  state: State,
  token: Token,
  fact: Fact,
  allowed: readonly Progress['at'][],
): { task: Task; progress: Progress } {
  const attempt = attemptOf(state, token, fact);
  const task = taskOf(state, attempt.task, fact);
  const { progress } = task;
  expect(allowed.includes(progress.at), fact, `task is ${progress.at}`);
  expect('token' in progress && progress.token === token, fact, 'not the attempt that the task is at');
  return { task, progress };
}

type Judged = Extract<Progress, { at: 'queued' | 'review' }>;

/** In the hub and judged good, and not merged tentatively yet. */
function judgedOf(state: State, token: Token, fact: Fact): { task: Task; progress: Judged } {
  const { task, progress } = workOf(state, token, fact, ['queued', 'review']);
  if (progress.at !== 'queued' && progress.at !== 'review')
    throw new IllegalFact(fact, `task is ${progress.at}`);
  return { task, progress };
}

/** Without what was predicted of it. */
function unforeseen(progress: Judged): Judged {
  const { at, token, head, since } = progress;
  if (at === 'queued') {
    const { cleared, undo } = progress;
    return { at, token, head, since, cleared, ...(undo === undefined ? {} : { undo }) };
  }
  const { approvals } = progress;
  return { at, token, head, since, ...(approvals === undefined ? {} : { approvals }) };
}

function gatingOf(state: State, token: Token, fact: Fact): { task: Task; progress: Gating } {
  const { task, progress } = workOf(state, token, fact, ['gating']);
  if (progress.at !== 'gating') throw new IllegalFact(fact, `task is ${progress.at}`);
  return { task, progress };
}

function liveOn(state: State, node: NodeName): Set<Token> {
  const live = state.live.get(node) ?? new Set<Token>();
  state.live.set(node, live);
  return live;
}

function nodeOf(state: State, name: NodeName): NodeState {
  const known = state.nodes.get(name);
  if (known !== undefined) return known;
  const node: NodeState = {
    name,
    bootId: null,
    journal: null,
    cursor: 0,
    mark: 'none',
    program: null,
    programs: {},
  };
  state.nodes.set(name, node);
  return node;
}

function taskOf(state: State, key: TaskKey, fact: Fact): Task {
  const task = state.tasks.get(key);
  if (task === undefined) throw new IllegalFact(fact, `no task ${key}`);
  return task;
}

function attemptOf(state: State, token: Token, fact: Fact): Attempt {
  const attempt = state.attempts.get(token);
  if (attempt === undefined) throw new IllegalFact(fact, `no attempt ${token}`);
  return attempt;
}

function projectOf(state: State, name: ProjectName, fact: Fact): Project {
  const project = state.projects.get(name);
  if (project === undefined) throw new IllegalFact(fact, `no project ${name}`);
  return project;
}

/** The project part of a task key. */
export function projectOfKey(key: TaskKey): ProjectName {
  return key.slice(0, key.indexOf('/')) as ProjectName;
}

function expect(holds: boolean, fact: Fact, why: string): void {
  if (!holds) throw new IllegalFact(fact, why);
}

/** A spec that the store holds differs from the file in a way that matters. */
export function specChanged(before: TaskSpec, after: TaskSpec): boolean {
  return before.digest !== after.digest || JSON.stringify(before) !== JSON.stringify(after);
}
