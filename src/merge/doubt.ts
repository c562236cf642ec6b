/**
 * How likely a branch is to be bad, from what is known before its gate runs. The queue puts the likely-bad ones last: on
 * top of a stack a bad branch costs those below it nothing, at the bottom it holds up all of them.
 *
 * The odds begin at those of one bad branch in twenty and are multiplied for each sign. The factors are judgements, not
 * measurements, and nothing but the order leans on them: a wrong one makes the queue a little slower, never less safe.
 */
import type { Attempt } from '../model/attempt.ts';
import type { Task } from '../model/task.ts';

export interface Doubt {
  /** From 0 to 1. */
  readonly chance: number;
  /** What speaks for and against it, for a person. */
  readonly signs: readonly string[];
}

const ODDS = 1 / 19;
/** For each round after the first that its agent needed, and the most of them that count. */
const ROUND = 1.5;
const ROUNDS_COUNTED = 4;
/** For each attempt that failed before. */
const FAILURE = 1.3;
const FAILURES_COUNTED = 4;
/** For each time it came back, by a conflict or a red gate; and when the last one was a red gate on the merged tree. */
const RETURN = 1.5;
const REFUSED = 2;
/** More files than these changed. */
const LARGE = { files: 20, factor: 1.5 };
const HUGE = { files: 100, factor: 2.5 };
/** No file of tests among them. */
const UNTESTED = 1.5;
/** A gate found it good by itself. */
const CLEARED = 0.1;

/** @param attempt the one whose branch is to be merged; undefined when it is not known. */
export function doubtOf(task: Task, attempt: Attempt | undefined): Doubt {
  const found = signsOf(task, attempt);
  const odds = found.reduce((product, { factor }) => product * factor, ODDS);
  return { chance: odds / (1 + odds), signs: found.map(({ sign }) => sign) };
}

interface Sign {
  readonly sign: string;
  readonly factor: number;
}

function signsOf({ progress, failures, returns, feedback }: Task, attempt: Attempt | undefined): Sign[] {
  const signs: Sign[] = [];
  const add = (sign: string, factor: number): unknown => signs.push({ sign, factor });
  if ('cleared' in progress && progress.cleared) add('good by itself', CLEARED);
  if (failures > 0) {
    add(`${times(failures, 'attempt')} failed before`, FAILURE ** Math.min(failures, FAILURES_COUNTED));
  }
  if (returns > 0) add(`came back ${times(returns, 'time')}`, RETURN ** returns);
  if (feedback?.why === 'gate') add('was red on the merged tree', REFUSED);
  const phase = attempt?.phase;
  if (phase?.is !== 'ended') return signs;
  const rounds = phase.outcome.kind === 'done' ? phase.outcome.rounds : 1;
  if (rounds > 1) add(`took ${rounds} rounds`, ROUND ** Math.min(rounds - 1, ROUNDS_COUNTED));
  const { changed = 0, tests = null } = phase.branch ?? {};
  if (changed > HUGE.files) add(`changes ${changed} files`, HUGE.factor);
  else if (changed > LARGE.files) add(`changes ${changed} files`, LARGE.factor);
  if (tests === false) add('changes no test', UNTESTED);
  return signs;
}

function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
