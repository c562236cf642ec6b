/**
 * The one door through which state changes: `evolve(state, event)`. It is total over the facts, deterministic, and
 * has no clock, randomness or I/O, so replaying the log gives the same state. A fact that does not fit the state it
 * meets is a defect of whoever produced it and throws `IllegalFact`; races are decided before a fact is produced.
 */
import { assertNever } from './assert.ts';
import { acceptContract, changeContract, recallTask } from './evolve-contract.ts';
import type { Event, Fact } from './event.ts';
import { evidenceKey } from './evidence.ts';
import { afterGreen, afterRed } from './gate-record.ts';
import type { State } from './state.ts';
import { isFinal, undoOf } from './task.ts';
import {
  IllegalFact,
  attemptOf,
  expect,
  gatingOf,
  judgedOf,
  nodeOf,
  projectOf,
  taskOf,
  workOf,
} from './found.ts';
import { mergeTask, queued, setProgress, undoing, unforeseen } from './progress.ts';
import {
  claimAttempt,
  endAttempt,
  fenceAttempt,
  isAt,
  keepBranch,
  noteLate,
  stallAttempt,
} from './evolve-attempt.ts';
import {
  addTask,
  baseProject,
  changeTask,
  configureProject,
  connectNode,
  loseNode,
  rememberControl,
  rememberGreen,
  rememberTests,
  startProject,
} from './evolve-spec.ts';
import { ailNode, healNode, markNode, refuseNode, repairedNode, repairNode } from './evolve-node.ts';
import { ackAlert, raiseAlert, resolveAlert, tellAlert } from './evolve-alert.ts';
import { forgive, recordLook, reviewTask, takeBack } from './evolve-review.ts';
import { isSameRun, landRevert, moveIntegration, passMerge, redOf, requestRevert } from './evolve-merge.ts';

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
      return startProject(state, fact);
    case 'task.added':
      return addTask(state, fact, event.at);
    case 'task.changed':
      return changeTask(state, fact, event.at);
    case 'node.connected':
      return connectNode(state, fact);
    case 'node.suspected':
      nodeOf(state, fact.node).silence = { is: 'suspect', at: event.at, silentMs: fact.silentMs };
      return;
    case 'node.lost':
      return loseNode(state, fact, event.at);
    case 'node.disconnected':
      nodeOf(state, fact.node);
      return;
    case 'node.refused':
      return refuseNode(state, fact, event.at);
    case 'node.ailing':
      return ailNode(state, fact, event.at);
    case 'node.repairing':
      return repairNode(state, fact, event.at);
    case 'node.repaired':
      return repairedNode(state, fact);
    case 'node.healed':
      return healNode(state, fact, event.at);
    case 'node.probed': {
      const node = nodeOf(state, fact.node);
      node.programs = { ...node.programs, ...fact.programs };
      return;
    }
    case 'node.marked':
      return markNode(state, fact);
    case 'alert.raised':
      return raiseAlert(state, fact, event.at);
    case 'alert.told':
      return tellAlert(state, fact);
    case 'alert.acked':
      return ackAlert(state, fact, event.at);
    case 'alert.resolved':
      return resolveAlert(state, fact, event.at);
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
      const { round, step } = fact;
      if (phase.is !== 'running' || (phase.round === round && phase.step === step)) return;
      // A new step is progress.
      attempt.phase = { is: 'running', since: phase.since, round, step };
      return;
    }
    case 'attempt.stalled':
    case 'attempt.moved':
      return stallAttempt(state, fact, event.at);
    case 'attempt.noted':
    case 'person.intervened':
      attemptOf(state, fact.token, fact);
      return;
    case 'attempt.ended':
      return endAttempt(state, fact, event.at);
    case 'attempt.fenced':
      return fenceAttempt(state, fact, event.at);
    case 'attempt.late':
      return noteLate(state, fact, event.at);
    case 'attempt.kept':
      return keepBranch(state, fact);
    case 'contract.changed':
      return changeContract(state, fact, event);
    case 'contract.accepted':
      return acceptContract(state, fact);
    case 'task.recalled':
      return recallTask(state, fact);
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
    case 'task.reviewed':
      return reviewTask(state, fact, event.at);
    case 'task.handed':
      return takeBack(state, fact);
    case 'review.found':
      return recordLook(state, fact, event.at);
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
      const { commit, when, look } = undo;
      const looked = look === undefined ? {} : { look };
      mergeTask(state, task, { at: 'merged', token: fact.token, commit, when, ...looked });
      return;
    }
    case 'revert.landed':
      return landRevert(state, fact, event.at);
    case 'queue.held': {
      const { by, reason, lost } = fact;
      const why = lost === undefined ? {} : { lost };
      projectOf(state, fact.project, fact).hold = { reason, by, since: event.at, ...why };
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
      forgive(task);
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
