/** Facts about attempts: claimed, ended, fenced. Part of `evolve`. */
import { assertNever } from './assert.ts';
import type { Attempt, AttemptPhase, GateSubject, Outcome } from './attempt.ts';
import { isContractSettled } from './contract.ts';
import { passes } from './credential.ts';
import type { Event, Fact } from './event.ts';
import { creditNode } from './evolve-node.ts';
import type { State } from './state.ts';
import type { Task } from './task.ts';
import {
  IllegalFact,
  attemptOf,
  expect,
  liveOn,
  nodeOf,
  projectOf,
  projectOfKey,
  taskOf,
  workOf,
} from './found.ts';
import { setProgress } from './progress.ts';

export function claimAttempt(
  state: State,
  fact: Extract<Fact, { type: 'attempt.claimed' }>,
  event: Event,
): void {
  const { token, task: key, n, work, node, base, credential, executor, contract, reserved } = fact;
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
    ...(contract === undefined ? {} : { contract }),
    ...(reserved === undefined ? {} : { reserved }),
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
  expect(isContractSettled(state, task.spec.project), fact, 'the contract has changed');
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

export function endAttempt(state: State, fact: Extract<Fact, { type: 'attempt.ended' }>, at: number): void {
  const attempt = attemptOf(state, fact.token, fact);
  close(state, attempt, { is: 'ended', at, outcome: fact.outcome }, fact);
  creditNode(state, attempt, fact.outcome, at);
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
      if (outcome.blame === 'node') task.losses += 1;
      else if (!isNobodysFault(attempt, outcome)) task.failures += 1;
      return;
    case 'timeout':
    case 'overspent':
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

export function isAt(task: Task, attempt: Attempt): boolean {
  const { progress } = task;
  return progress.at === 'attempt' && progress.token === attempt.token && task.key === attempt.task;
}

/** A stall lasts until something moves: its log, or its step. */
export function stallAttempt(
  state: State,
  fact: Extract<Fact, { type: 'attempt.stalled' | 'attempt.moved' }>,
  at: number,
): void {
  const attempt = attemptOf(state, fact.token, fact);
  const { phase } = attempt;
  if (phase.is !== 'running') throw new IllegalFact(fact, `attempt is ${phase.is}`);
  const { stall: before, ...moving } = phase;
  if (fact.type === 'attempt.moved') {
    expect(before !== undefined, fact, 'it is not stalled');
    attempt.phase = moving;
  } else attempt.phase = { ...moving, stall: { ...fact.stall, since: before?.since ?? at } };
}

export function fenceAttempt(
  state: State,
  fact: Extract<Fact, { type: 'attempt.fenced' }>,
  at: number,
): void {
  const attempt = attemptOf(state, fact.token, fact);
  close(state, attempt, { is: 'fenced', at, reason: fact.reason }, fact);
  state.fenced.add(attempt.token);
  if (fact.lost === true && attempt.work.kind === 'work') taskOf(state, attempt.task, fact).losses += 1;
}

export function noteLate(state: State, fact: Extract<Fact, { type: 'attempt.late' }>, at: number): void {
  state.fenced.delete(fact.token);
  const attempt = state.attempts.get(fact.token);
  if (attempt?.phase.is === 'fenced') attempt.phase = { ...attempt.phase, late: { at, what: fact.what } };
}

export function keepBranch(state: State, fact: Extract<Fact, { type: 'attempt.kept' }>): void {
  const attempt = attemptOf(state, fact.token, fact);
  const { phase } = attempt;
  if (phase.is !== 'ended' && phase.is !== 'fenced') throw new IllegalFact(fact, `attempt is ${phase.is}`);
  attempt.phase = { ...phase, kept: fact.head };
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
