import { expect, test } from 'vitest';
import { collected } from '../../src/controller/from-hub.ts';
import { freshMemory } from '../../src/controller/memory.ts';
import { Turn } from '../../src/controller/turn.ts';
import { key, spec } from '../schedule/world.ts';
import { Story as Run } from './story.ts';
import { added, claim, commit, done, SET_UP, Story, token } from '../model/builder.ts';

test.each([
  [['src/a.ts', 'test/a.test.ts'], true],
  [['src/a.ts'], false],
  [undefined, null],
])('a collected branch of %j is remembered by whether it changes tests: %j', (paths, tests) => {
  const story = Story.of(...SET_UP);
  const head = commit(0x100);
  story.tell(added('S01'), claim('S01', 1), {
    type: 'attempt.ended',
    token: token(1),
    outcome: done(head),
  });
  const turn = new Turn(story.state, freshMemory(story.state), 1, 1_800_000_000_000);
  const named = paths === undefined ? {} : { paths };
  collected(turn, { is: 'collected', key: 'c', token: token(1), head, changed: 2, findings: [], ...named });
  expect(story.state.attempts.get(token(1))?.phase).toMatchObject({ branch: { changed: 2, tests } });
});

test('a branch that the hub could not take in is not forgotten by its node, where alone it is', () => {
  for (const absent of [true, undefined] as const) {
    const story = Story.of(...SET_UP);
    const head = commit(0x100);
    story.tell(added('S01'), claim('S01', 1), {
      type: 'attempt.ended',
      token: token(1),
      outcome: done(head),
    });
    const turn = new Turn(story.state, freshMemory(story.state), 1, 1_800_000_000_000);
    const finding = { gate: 'commit', path: null, line: null, message: 'damaged', fix: 'again' } as const;
    const result = {
      is: 'collected',
      key: 'c',
      token: token(1),
      head,
      changed: 0,
      findings: [finding],
    } as const;
    collected(turn, absent === undefined ? result : { ...result, absent });
    expect(turn.memory.forgettable.has(token(1))).toBe(absent !== true);
    // Asked for again after a new connection, when its task has failed: it is not said to be kept in the hub.
    collected(turn, absent === undefined ? result : { ...result, absent });
    expect(turn.events.some(({ fact }) => fact.type === 'attempt.kept')).toBe(absent !== true);
  }
});

test('what a failed attempt committed and took back is fetched into the hub, where rescue finds it', () => {
  const run = new Run([spec('p', 'A')]);
  const work = run.started('A');
  const head = commit(0x200);
  const failed = { kind: 'failed', cause: 'empty', message: 'nothing was changed', exitCode: 0 } as const;
  run.news({
    type: 'attempt.ended',
    token: work,
    outcome: { ...failed, head, rounds: 1, usage: null },
  });
  expect(run.core.state.tasks.get(key('p', 'A'))?.failures).toBe(1);
  expect(run.wanted(`collect:${work}`)).toMatchObject({ head });
  expect(run.wanted(`forget:${work}`)).toBeUndefined();
  run.turn({ is: 'collected', key: `collect:${work}`, token: work, head, changed: 0, findings: [] });
  expect(run.core.state.attempts.get(work)?.phase).toMatchObject({ kept: head });
  expect(run.wanted(`forget:${work}`)).toBeDefined();
});
