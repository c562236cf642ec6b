/** Facts about the contract that the tasks of a project share: seen, changed, accepted. Part of `evolve`. */
import type { Event, Fact } from './event.ts';
import { expect, IllegalFact, projectOf, taskOf } from './found.ts';
import { setProgress } from './progress.ts';
import type { State } from './state.ts';

/** What work has to keep to from now on: the first that was seen, or what a person has accepted. */
export function acceptContract(state: State, fact: Extract<Fact, { type: 'contract.accepted' }>): void {
  const { path, hash } = fact;
  projectOf(state, fact.project, fact).contract = { path, accepted: hash, changed: null };
}

/** The base has it otherwise than what was accepted; or, again, just so. */
export function changeContract(
  state: State,
  fact: Extract<Fact, { type: 'contract.changed' }>,
  { at }: Event,
): void {
  const project = projectOf(state, fact.project, fact);
  if (project.contract === null) throw new IllegalFact(fact, 'no contract was ever seen');
  const { path, hash, commit } = fact;
  const { accepted } = project.contract;
  project.contract = {
    path,
    accepted,
    changed: hash === accepted ? null : { hash, commit, since: at },
  };
}

/** What an attempt made under an older contract is given up, and its task starts again; no try is charged. */
export function recallTask(state: State, fact: Extract<Fact, { type: 'task.recalled' }>): void {
  const task = taskOf(state, fact.task, fact);
  const { progress } = task;
  switch (progress.at) {
    case 'attempt':
    // Its branch is only on the node yet: the next attempt cannot be given it.
    case 'finished':
      break;
    case 'review':
    case 'queued':
    case 'gating':
      expect(!('undo' in progress), fact, 'what it did has merged');
      task.feedback = { why: 'contract', path: fact.path, previous: progress.head };
      break;
    default:
      throw new IllegalFact(fact, `task is ${progress.at}`);
  }
  expect(progress.token === fact.token, fact, 'it is at another attempt');
  task.notBefore = 0;
  setProgress(state, task, { at: 'open' });
}
