/** Facts about landing and taking back. Part of `evolve`. */
import type { Fact } from './event.ts';
import type { Basis } from './evidence.ts';
import type { Token } from './ids.ts';
import type { State } from './state.ts';
import { judgedBy, type Gating, type Task, undoOf } from './task.ts';
import { IllegalFact, attemptOf, expect, gatingOf, projectOf, taskOf, workOf } from './found.ts';
import { headOf, queued, reindex, releaseIfWaiting, setProgress, undoing } from './progress.ts';
import { forgive } from './evolve-review.ts';
import { rememberTests } from './evolve-spec.ts';
import type { RecordedLook } from './second-look.ts';

/** The part of the stack below a green tree goes to land as one. */
export function passMerge(state: State, fact: Extract<Fact, { type: 'merge.passed' }>): void {
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

/** Integration goes on to what has landed. */
export function moveIntegration(
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
export function requestRevert(
  state: State,
  fact: Extract<Fact, { type: 'revert.requested' }>,
  at: number,
): void {
  const task = taskOf(state, fact.task, fact);
  const { progress } = task;
  if (progress.at !== 'merged') throw new IllegalFact(fact, `task is ${progress.at}`);
  const { token, commit, when } = progress;
  const head = headOf(attemptOf(state, token, fact));
  if (commit === null || head === null) throw new IllegalFact(fact, 'it merged nothing');
  const { by, reason, again } = fact;
  const undo = { by, reason, commit, when, ...lookOf(progress), ...(again === true ? { again } : {}) };
  setProgress(state, task, queued({ token, head, since: at, undo }));
  for (const key of state.dependents.get(task.key) ?? []) {
    const dependent = state.tasks.get(key);
    if (dependent === undefined) continue;
    dependent.unmet += 1;
    dependent.readySince = null;
    releaseIfWaiting(dependent);
    reindex(state, dependent);
  }
}

function lookOf({ look }: Extract<Task['progress'], { at: 'merged' }>): { look?: RecordedLook } {
  return look === undefined ? {} : { look };
}

export function landRevert(state: State, fact: Extract<Fact, { type: 'revert.landed' }>, at: number): void {
  const { task, progress } = workOf(state, fact.token, fact, ['landing']);
  const undo = undoOf(progress);
  if (progress.at !== 'landing' || undo === undefined) throw new IllegalFact(fact, 'what lands is no revert');
  moveIntegration(state, task, fact);
  // What was counted with the work in it is too much for the tree without: only a count of this tree is known.
  projectOf(state, task.spec.project, fact).tests = fact.tests ?? [];
  const { token, commit } = fact;
  const { by, reason } = undo;
  task.feedback = { why: 'reverted', reason, previous: progress.head };
  if (undo.again === true) {
    forgive(task);
    return setProgress(state, task, { at: 'open' });
  }
  setProgress(state, task, { at: 'reverted', token, commit, by, reason, when: at });
}

/** What was red on the tree that is green now. */
export function redOf(
  state: State,
  token: Token,
  fact: Extract<Fact, { type: 'gate.proved' }>,
): Gating['red'] {
  const { progress } = gatingOf(state, token, fact);
  const known = judgedBy(progress).some(({ tree }) => tree === fact.tree);
  expect(known, fact, 'the tree that is green is not the tree that is gated');
  return progress.red;
}

export function isSameRun(one: Basis, other: Basis): boolean {
  return one.verify === other.verify && one.environment === other.environment;
}
