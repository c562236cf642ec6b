import { expect, test } from 'vitest';
import { decideFeed, nameOf } from '../../src/feed/decide.ts';
import type { ParsedSpec } from '../../src/spec/parse-spec.ts';
import { file } from '../split/build.ts';

const pending = (id: string, ...front: string[]) => file(id, front, true);

function decide(specs: readonly ParsedSpec[], queue: readonly ParsedSpec[] = []) {
  const taken = new Set(['project.yaml', ...queue.map(nameOf)]);
  const { move, held, done } = decideFeed({ queue, pending: specs, taken, basePaths: null });
  return {
    move: move.map(nameOf),
    done: done.map(nameOf),
    held: Object.fromEntries(
      held.map(({ spec, problems }) => [nameOf(spec), problems.map(({ code }) => code)]),
    ),
  };
}

test('good specs go in the order of their dependencies, on each other and on the queue', () => {
  const specs = [pending('A', 'depends_on: [B, Q]'), pending('B', 'depends_on: [C]'), pending('C')];
  expect(decide(specs, [file('Q')])).toEqual({ move: ['C.md', 'B.md', 'A.md'], held: {}, done: [] });
});

test('a bad spec stays with those that need it, and holds nobody else', () => {
  const specs = [
    pending('A', 'nonsense: 1'),
    pending('B', 'depends_on: [A]'),
    pending('C', 'depends_on: [B]'),
    pending('D'),
  ];
  expect(decide(specs)).toMatchObject({
    move: ['D.md'],
    held: { 'A.md': ['E_SPEC_UNKNOWN_KEY'], 'B.md': ['E_FEED_WAITS'], 'C.md': ['E_FEED_WAITS'] },
  });
});

test('an id or a file name that the queue has stays', () => {
  const other: ParsedSpec = { ...pending('Q2'), file: 'specs/web/pending/Q.md' };
  expect(decide([pending('Q', 'priority: 1'), other], [file('Q')])).toMatchObject({
    move: [],
    held: { 'Q.md': expect.arrayContaining(['E_FEED_NAME_TAKEN']) },
  });
  const twin: ParsedSpec = { ...pending('Q'), file: 'specs/web/pending/Z.md' };
  expect(decide([twin], [file('Q')]).held).toEqual({ 'Z.md': ['E_SPEC_DUPLICATE_ID'] });
});

test('a circle stays as a whole, also when it runs through the queue', () => {
  const specs = [pending('A', 'depends_on: [B]'), pending('B', 'depends_on: [A]'), pending('C')];
  expect(decide(specs)).toMatchObject({
    move: ['C.md'],
    held: { 'A.md': expect.anything(), 'B.md': expect.anything() },
  });
  expect(decide([pending('A', 'depends_on: [Q]')], [file('Q', ['depends_on: [A]'])])).toMatchObject({
    move: [],
  });
});

test('what a crash left in both places is done', () => {
  const queued = file('A');
  expect(decide([{ ...queued, file: 'specs/web/pending/A.md' }], [queued])).toEqual({
    move: [],
    held: {},
    done: ['A.md'],
  });
});
