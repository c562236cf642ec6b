import { describe, expect, test } from 'vitest';
import { batchSize, cutsOf } from '../../../src/merge/queue/batch.ts';
import { type Backers, type Entry, planQueue, type QueueView } from '../../../src/merge/queue/plan.ts';
import { NO_RECORD, observe } from '../../../src/merge/queue/record.ts';

/** A stack written as letters: `.` unknown, `g` green, `r` red, `R` running; ids are positions from 1. */
function stack(verdicts: string): Entry<number>[] {
  return Array.from(verdicts, (letter, at) => ({
    id: at + 1,
    green: letter === 'g',
    reds: letter === 'r' ? 1 : 0,
    running: letter === 'R',
  }));
}

/** One branch in twenty is bad. */
const FEW_BAD = observe(NO_RECORD, { passed: 13 });

function view(over: Partial<QueueView<number>>): QueueView<number> {
  return { stack: [], aside: [], waiting: 0, slots: 1, record: FEW_BAD, ...over };
}

describe('batches', () => {
  test('are as large as is as likely green as red, and one from where pooling does not help', () => {
    expect([0, 0.02, 0.1, 0.3, 0.4].map(batchSize)).toEqual([34, 34, 7, 2, 1]);
  });

  test('a red group is cut at the middle of where its first bad one is likely to be', () => {
    expect(cutsOf(2, 0.3, 1)).toEqual([1]);
    expect(cutsOf(34, 0.02, 1)).toEqual([14]);
    expect(cutsOf(8, 0.01, 3)).toEqual([2, 4, 6]);
    expect(cutsOf(4, 0.1, 9)).toEqual([1, 2, 3]);
    expect(cutsOf(1, 0.1, 3)).toEqual([]);
  });
});

describe('the stack', () => {
  test('is gated at its top when nothing more is coming, and not before while something is', () => {
    expect(planQueue(view({ stack: stack('...') })).gate).toEqual([3]);
    expect(planQueue(view({ stack: stack('...'), waiting: 9 })).gate).toEqual([]);
  });

  test('lands up to the highest green run: it clears a red one below it', () => {
    expect(planQueue(view({ stack: stack('..rg..') }))).toMatchObject({ land: 4, suspect: null });
  });

  test('is narrowed between the highest green and the lowest red run above it, one run at a time', () => {
    expect(planQueue(view({ stack: stack('.......r..') })).gate).toEqual([4]);
    expect(planQueue(view({ stack: stack('...R...r..') })).gate).toEqual([]);
    expect(planQueue(view({ stack: stack('...r...r..') })).gate).toEqual([2]);
  });

  test('the only one left to blame goes aside, and with those beside which it was red in a larger set', () => {
    expect(planQueue(view({ stack: stack('.g.r') })).suspect).toBeNull();
    expect(planQueue(view({ stack: stack('.gr.') })).suspect).toEqual({ id: 3, backers: [] });
    expect(planQueue(view({ stack: stack('r..rr.') })).suspect).toEqual({ id: 1, backers: [2, 3, 4] });
  });

  test('with slots to spare further batches are tested on the guess that the first is good', () => {
    const long = stack('.'.repeat(60));
    expect(planQueue(view({ stack: long, slots: 1 })).gate).toEqual([14]);
    expect(planQueue(view({ stack: long, slots: 2 })).gate).toEqual([14, 28]);
    expect(planQueue(view({ stack: long, slots: 4 })).gate).toEqual([14, 28, 42]);
  });
});

describe('aside', () => {
  const aside = (reds: number, green = false, backers: Backers = 'none') => [
    { id: 7, green, reds, running: false, backers },
  ];

  test('a red run is repeated once before anybody is blamed', () => {
    expect(planQueue(view({ aside: aside(1) }))).toMatchObject({ refuse: [], gate: [7] });
    expect(planQueue(view({ aside: aside(2) }))).toMatchObject({ refuse: [7], gate: [] });
  });

  test('green after red was a flake: back to the queue', () => {
    expect(planQueue(view({ aside: aside(1, true) }))).toMatchObject({ clear: [7], refuse: [], gate: [] });
  });

  test('with few slots, what it was red with decides once that is judged: all good, and it was red twice', () => {
    const record = observe(NO_RECORD, { passed: 90, refused: 10 });
    const plan = (backers: Backers, slots = 2) =>
      planQueue(view({ aside: aside(1, false, backers), record, slots, waiting: 5 }));
    expect(plan('good')).toMatchObject({ refuse: [7], gate: [] });
    expect(plan('bad')).toMatchObject({ refuse: [], gate: [7] });
    expect(plan('none')).toMatchObject({ refuse: [], gate: [7] });
    expect(plan('unjudged')).toMatchObject({ refuse: [], gate: [] });
    expect(plan('unjudged', 4)).toMatchObject({ refuse: [], gate: [7] });
  });

  test('nobody waits for a verdict that is not coming: with nothing else to do the run is repeated', () => {
    const record = observe(NO_RECORD, { passed: 90, refused: 10 });
    const waits = aside(1, false, 'unjudged');
    expect(planQueue(view({ aside: waits, record, waiting: 1 })).gate).toEqual([7]);
    expect(planQueue(view({ aside: waits, record, waiting: 1, stack: stack('.') })).gate).toEqual([1]);
    expect(planQueue(view({ aside: waits, record, waiting: 1, stack: stack('R') })).gate).toEqual([]);
  });

  test('a gate that flakes often backs nobody up', () => {
    const flaky = observe(NO_RECORD, { passed: 90, refused: 10, greens: 50, flakes: 5 });
    expect(planQueue(view({ aside: aside(1, false, 'good'), record: flaky }))).toMatchObject({
      refuse: [],
      gate: [7],
    });
  });

  test('where every third is bad, a gate that never flaked is believed at once; one that did is not', () => {
    const bad = observe(NO_RECORD, { passed: 70, refused: 30, greens: 400 });
    expect(planQueue(view({ aside: aside(1), record: bad })).refuse).toEqual([7]);
    const flaky = observe(bad, { flakes: 1 });
    expect(planQueue(view({ aside: aside(1), record: flaky })).refuse).toEqual([]);
  });
});
