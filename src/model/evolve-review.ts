/** Facts about what a person or a second model thinks of a task's work. Part of `evolve`. */
import type { Fact } from './event.ts';
import { IllegalFact, taskOf, workOf } from './found.ts';
import type { CommitId } from './ids.ts';
import { queued, setProgress } from './progress.ts';
import type { State } from './state.ts';
import type { Task } from './task.ts';

type Reviewed = Extract<Fact, { type: 'task.reviewed' }>;

/** What is rejected begins again with the reason; of what has merged only the word is kept, the revert is a fact of its own. */
export function reviewTask(state: State, fact: Reviewed, at: number): void {
  const task = taskOf(state, fact.task, fact);
  const { progress } = task;
  const { approved, by, reason } = fact;
  switch (progress.at) {
    case 'review':
      if (approved) return setProgress(state, task, queued({ ...progress, since: at }));
      return beginAgain(state, task, fact, progress.head);
    case 'parked': {
      if (!approved) return beginAgain(state, task, fact, task.feedback?.previous ?? null);
      forgive(task);
      return setProgress(state, task, { at: 'open' });
    }
    case 'merged': {
      const { look } = progress;
      if (look === undefined) throw new IllegalFact(fact, 'no second model has looked at it');
      const settled = { approved, by, reason, when: at };
      return setProgress(state, task, { ...progress, look: { ...look, settled } });
    }
    default:
      throw new IllegalFact(fact, `task is ${progress.at}`);
  }
}

export function takeBack(state: State, fact: Extract<Fact, { type: 'task.handed' }>): void {
  const task = taskOf(state, fact.task, fact);
  const { at } = task.progress;
  if (at !== 'review' && at !== 'parked') throw new IllegalFact(fact, `task is ${at}`);
  task.feedback = { why: 'handed', by: fact.by, previous: fact.commit };
  forgive(task);
  setProgress(state, task, { at: 'open' });
}

/** The newest look counts; what a person said of an older one is in the log. */
export function recordLook(state: State, fact: Extract<Fact, { type: 'review.found' }>, at: number): void {
  const { task, progress } = workOf(state, fact.token, fact, ['merged']);
  if (progress.at !== 'merged') throw new IllegalFact(fact, `task is ${progress.at}`);
  setProgress(state, task, { ...progress, look: { ...fact.look, when: at } });
}

function beginAgain(state: State, task: Task, { by, reason }: Reviewed, previous: CommitId | null): void {
  if (previous !== null) task.feedback = { why: 'rejected', by, reason, previous };
  forgive(task);
  setProgress(state, task, { at: 'open' });
}

/** A person has decided that it is worth another try. */
export function forgive(task: Task): void {
  task.failures = 0;
  task.losses = 0;
  task.returns = 0;
  task.notBefore = 0;
}
