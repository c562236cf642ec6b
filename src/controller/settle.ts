/** What an attempt's end means for its task: the next fact after `attempt.ended`, in the same transaction. */
import { assertNever } from '../model/assert.ts';
import type { Attempt, Finding, GateSubject, Outcome } from '../model/attempt.ts';
import { failingTests } from '../gates/failing-tests.ts';
import type { Source } from '../model/event.ts';
import { environmentOf } from '../model/evidence.ts';
import { isNobodysFault } from '../model/evolve-attempt.ts';
import { projectOfKey } from '../model/found.ts';
import { tokensIn } from '../model/usage.ts';
import { judgedBy, type Project, type Task } from '../model/task.ts';
import { attemptBackoff, lossBackoff, MAX_GATE_BREAKS, MAX_LOSSES, MAX_RETURNS } from './policy.ts';
import { settleControl } from './control.ts';
import { governCredential } from './govern.ts';
import { comparedOutcome } from './test-counts.ts';
import { noteContradicted } from './queue-record.ts';
import { spareGateNode } from './shun.ts';
import type { Turn } from './turn.ts';

/** Records the end of a live attempt and what follows from it. */
export function settleEnd(turn: Turn, attempt: Attempt, outcome: Outcome, source: Source | null): void {
  const { token, work } = attempt;
  turn.memory.unordered.delete(token);
  if (work.kind === 'gate') {
    const current = gateIsCurrent(turn, attempt, work.subject);
    turn.record({ type: 'attempt.ended', token, outcome }, source);
    turn.memory.forgettable.set(token, attempt.node);
    if (current) settleGate(turn, attempt, work.subject, comparedOutcome(turn, attempt, outcome));
    return;
  }
  turn.record({ type: 'attempt.ended', token, outcome }, source);
  governCredential(turn, attempt, outcome);
  settleWork(turn, attempt, outcome);
}

function settleWork(turn: Turn, attempt: Attempt, outcome: Outcome): void {
  const task = turn.state.tasks.get(attempt.task);
  if (task === undefined) return;
  keepCommits(turn, attempt, outcome);
  switch (outcome.kind) {
    case 'done':
      if (outcome.head !== null) return;
      if (projectFor(turn, task).config.repo === null) {
        turn.record({ type: 'task.completed', task: task.key, token: attempt.token });
      } else {
        failTask(turn, task, 'the node reported success without a commit', []);
      }
      return;
    case 'refused':
      return failTask(turn, task, refusalReason(outcome.findings, outcome.rounds), outcome.findings);
    case 'failed': {
      const reason = `${outcome.cause}: ${outcome.message}`;
      // The key's own back-off says when; another key or the fallback may take it at once.
      if (isNobodysFault(attempt, outcome)) return backOff(turn, task, turn.now, reason);
      if (outcome.blame === 'node') return lostAttempt(turn, task, reason);
      return failedAttempt(turn, task, reason);
    }
    case 'timeout':
      return failedAttempt(turn, task, `no result before the deadline (${task.spec.timeoutMs / 60_000} min)`);
    // Another try would cost as much again: a person says whether it may.
    case 'overspent':
      return failTask(turn, task, overspentReason(outcome), []);
    case 'lost':
      return lostAttempt(turn, task, outcome.why);
    case 'cancelled':
      turn.record({ type: 'task.cancelled', task: task.key, reason: outcome.reason });
      return;
    default:
      assertNever(outcome);
  }
}

/** A branch that did not pass is still somebody's work: it is fetched into the hub before the node may reclaim it. */
function keepCommits(turn: Turn, attempt: Attempt, outcome: Outcome): void {
  const head = 'head' in outcome ? (outcome.head ?? null) : null;
  if (head === null) {
    turn.memory.forgettable.set(attempt.token, attempt.node);
    return;
  }
  if (outcome.kind !== 'done') turn.memory.salvage.set(attempt.token, head);
}

function failedAttempt(turn: Turn, task: Task, reason: string): void {
  if (task.failures >= projectFor(turn, task).config.maxAttempts) return failTask(turn, task, reason, []);
  backOff(turn, task, turn.now + attemptBackoff(task.failures), reason);
}

function lostAttempt(turn: Turn, task: Task, why: string): void {
  if (task.losses >= MAX_LOSSES) {
    return failTask(turn, task, `lost ${task.losses} times (last: ${why})`, []);
  }
  backOff(turn, task, turn.now + lossBackoff(task.losses), `lost: ${why}`);
}

export function backOff(turn: Turn, task: Task, notBefore: number, reason: string): void {
  turn.record({ type: 'task.backedoff', task: task.key, notBefore, reason });
  turn.wakeAt(notBefore);
}

export function failTask(turn: Turn, task: Task, reason: string, findings: readonly Finding[]): void {
  turn.record({ type: 'task.failed', task: task.key, reason, findings });
}

function overspentReason({ limitTokens, usage }: Extract<Outcome, { kind: 'overspent' }>): string {
  const used = usage === null ? null : tokensIn(usage);
  const figures = used === null ? `more than ${limitTokens}` : `${used} of ${limitTokens}`;
  return `its agent used ${figures} tokens, so it was ended and its branch is kept: raise its budget, or split it`;
}

function refusalReason(findings: readonly Finding[], rounds: number): string {
  const gates = [...new Set(findings.map((finding) => finding.gate))].join(', ');
  return `refused by the ${gates || 'node'} gate after ${rounds} round${rounds === 1 ? '' : 's'}`;
}

/** The gate judges what is being merged now, not something that was given up meanwhile. */
function gateIsCurrent(turn: Turn, attempt: Attempt, subject: GateSubject): boolean {
  if (subject.of === 'control') return isCurrentControl(turn, attempt, subject);
  if (subject.of === 'merge') {
    const progress = turn.state.tasks.get(attempt.task)?.progress;
    if (progress?.at !== 'gating' || progress.gate !== attempt.token) return false;
    return judgedBy(progress).some(({ commit }) => commit === subject.commit);
  }
  const delivery = turn.state.projects.get(projectOfKey(attempt.task))?.delivery;
  if (delivery?.at !== 'gating' || delivery.gate !== attempt.token) return false;
  return delivery.commit === subject.commit;
}

/** Live, and of the settings that the project has now; the core knows no other way for it to be outdated. */
function isCurrentControl({ state }: Turn, { task, phase }: Attempt, { environment }: GateSubject): boolean {
  const project = state.projects.get(projectOfKey(task));
  const live = phase.is === 'claimed' || phase.is === 'running';
  return live && project !== undefined && environmentOf(project.config) === environment;
}

function settleGate(turn: Turn, attempt: Attempt, subject: GateSubject, outcome: Outcome): void {
  if (outcome.kind === 'failed' && outcome.blame === 'node')
    return spareGateNode(turn, attempt, outcome.message);
  if (subject.of === 'control') return settleControl(turn, attempt, subject, outcome);
  const project = turn.state.projects.get(projectOfKey(attempt.task));
  if (project === undefined) return;
  switch (outcome.kind) {
    case 'done':
      return greenGate(turn, project, subject);
    case 'refused':
      return redGate(turn, project, subject, outcome);
    case 'lost':
      return;
    case 'failed':
      return brokenGate(turn, project, subject, outcome.message);
    case 'timeout':
    case 'overspent':
      return brokenGate(turn, project, subject, 'it did not end in time');
    case 'cancelled':
      return brokenGate(turn, project, subject, outcome.reason);
    default:
      assertNever(outcome);
  }
}

type QueueSubject = Exclude<GateSubject, { of: 'control' }>;

function greenGate(turn: Turn, project: Project, subject: QueueSubject): void {
  const { tree, verify, environment } = subject;
  const merge = subject.of === 'merge' ? { token: subject.workToken } : {};
  turn.record({ type: 'gate.proved', project: project.name, tree, verify, environment, ...merge });
  if (subject.of === 'merge') noteContradicted(turn, project, subject.workToken, verify);
}

/** What a red run on a stack means is for the queue to find out. */
function redGate(
  turn: Turn,
  project: Project,
  subject: QueueSubject,
  { findings, output }: Extract<Outcome, { kind: 'refused' }>,
): void {
  if (subject.of === 'merge') {
    const { workToken: token, verify, environment } = subject;
    const failed = failingTests(output);
    const named = failed.length === 0 ? {} : { failed };
    turn.record({ type: 'merge.doubted', token, findings, output, verify, environment, ...named });
    return;
  }
  turn.record({
    type: 'delivery.failed',
    project: project.name,
    code: 'E_TIP_RED',
    verify: subject.verify,
    message: `verify is red on ${subject.commit.slice(0, 12)}: ${findings[0]?.message ?? 'no finding'}`,
    ...(output === '' ? {} : { why: output }),
    fix: `mend it on the target or with a new spec, then: dispatch collect ${project.name}`,
  });
}

/** After a conflict or a red merge gate: the third time a person decides. */
export function parkIfReturnedOften(turn: Turn, task: Task, token: Attempt['token'], reason: string): void {
  if (task.returns < MAX_RETURNS) return;
  turn.record({ type: 'task.parked', task: task.key, token, reason: `${reason}, ${task.returns} times` });
}

/** Nobody's fault: the line stands still for a while, and when the gate goes on breaking, until a person lets it go on. */
function brokenGate(turn: Turn, project: Project, subject: QueueSubject, message: string): void {
  const { name } = project;
  const breaks = (project.broken?.times ?? 0) + 1;
  turn.record({ type: 'gate.broke', project: name, reason: message, times: breaks });
  const final = breaks >= MAX_GATE_BREAKS;
  if (subject.of === 'delivery') {
    if (!final) return;
    const text = `the gate cannot run: ${message}`;
    turn.record({ type: 'delivery.failed', project: name, code: 'E_GATE_BROKEN', message: text });
    return;
  }
  if (final) {
    const reason = `the gate broke ${breaks} times (nobody's fault): ${message}`;
    turn.record({ type: 'queue.held', project: name, by: 'dispatch', reason });
    return;
  }
  const notBefore = turn.now + attemptBackoff(breaks) / 10;
  turn.record({ type: 'merge.stalled', token: subject.workToken, notBefore, reason: message });
  turn.wakeAt(notBefore);
}

/** Gives up an attempt that has not begun, as far as is known; a failure ends its task as well. */
export function giveUpClaim(turn: Turn, attempt: Attempt, reason: string, failure: string | null): void {
  fence(turn, attempt.token, reason);
  const task = turn.state.tasks.get(attempt.task);
  if (task === undefined || attempt.work.kind === 'gate') return;
  if (failure === null) backOff(turn, task, turn.now, reason);
  else failTask(turn, task, failure, []);
}

/** The same when its node is to blame: the task goes elsewhere, and not for ever. */
export function loseClaim(turn: Turn, attempt: Attempt, reason: string): void {
  turn.memory.unordered.delete(attempt.token);
  turn.record({ type: 'attempt.fenced', token: attempt.token, reason, lost: true });
  const task = turn.state.tasks.get(attempt.task);
  if (task !== undefined && attempt.work.kind === 'work') lostAttempt(turn, task, reason);
}

export function fence(turn: Turn, token: Attempt['token'], reason: string): void {
  turn.memory.unordered.delete(token);
  turn.memory.awaited.delete(token);
  turn.record({ type: 'attempt.fenced', token, reason });
}

function projectFor(turn: Turn, task: Task): Project {
  const project = turn.state.projects.get(task.spec.project);
  if (project === undefined) throw new Error(`no project ${task.spec.project}`);
  return project;
}
