/** Conflicts are seen coming, told to both sides, and never cost a gate run. */
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/controller/door.ts';
import type { Finding } from '../../src/model/attempt.ts';
import type { CommitId, Token } from '../../src/model/ids.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import type { Progress } from '../../src/model/task.ts';
import { clashesAgainst, clashOf } from '../../src/schedule/clash.ts';
import { commit, key, spec } from '../schedule/world.ts';
import { P, Story, TIP } from './story.ts';

const TOP = commit(201);
const SHARED = 'CHANGES.md';
const KEY = 'predict:p';

interface Setting {
  readonly story: Story;
  readonly tokens: readonly Token[];
}

/** The first task is on its way into integration; the line is held, so that all others wait. */
function waiting(...specs: readonly TaskSpec[]): Setting {
  const story = new Story(specs);
  const tokens = specs.map(({ id }) => story.started(id));
  const [first] = tokens as [Token];
  story.queued(first, { paths: [SHARED] });
  story.stacked(first, TIP, TOP);
  hold(story);
  return { story, tokens };
}

function hold(story: Story): void {
  story.turn({ is: 'command', command: { verb: 'hold', project: P, by: 'ana', reason: 'a look' } });
}

function release(story: Story): void {
  story.turn({ is: 'command', command: { verb: 'release', project: P, by: 'ana' } });
}

function tasksCalled(...ids: readonly string[]): TaskSpec[] {
  return ids.map((id) => spec('p', id, { title: `Do ${id}` }));
}

function predicts(effect: Effect | undefined): Extract<Effect, { do: 'predict' }> {
  if (effect?.do !== 'predict') throw new Error('nothing is looked at');
  return effect;
}

function lookedAt(story: Story): Token[] {
  const effect = story.wanted(KEY);
  return effect === undefined ? [] : predicts(effect).branches.map(({ token }) => token);
}

/** The hub's answer for one branch; what it is asked next is looked at anew. */
function answer(story: Story, token: Token, onto: CommitId | null, tip = TIP, top = TOP): void {
  story.effects.delete(KEY);
  const clash = onto === null ? null : { onto, conflicts: [{ path: SHARED, tasks: ['A' as never] }] };
  story.turn({ is: 'predicted', key: KEY, project: P, tip, top, branches: [{ token, clash }] });
}

function progressOf(story: Story, id: string): Progress | undefined {
  return story.core.state.tasks.get(key('p', id))?.progress;
}

describe('a branch that has to wait for its turn', () => {
  test('is looked at once, against integration and the end of the stack, when it has reached the hub', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B'));
    const [, b] = tokens as [Token, Token];
    story.queued(b, { paths: ['src/b.ts'] });
    expect(predicts(story.wanted(KEY))).toMatchObject({ tip: TIP, top: TOP, branches: [{ token: b }] });
    answer(story, b, null);
    story.turn({ is: 'tick' });
    expect(story.wanted(KEY)).toBeUndefined();
    expect(story.facts.filter(({ type }) => type === 'merge.predicted')).toEqual([]);
  });

  test('is not looked at again because of a branch that changed other files; it is when they share one', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B', 'C', 'D'));
    const [, b, c, d] = tokens as [Token, Token, Token, Token];
    for (const [token, path] of [
      [b, 'src/b.ts'],
      [c, 'src/c.ts'],
      [d, 'src/b.ts/inside'],
    ] as const) {
      story.queued(token, { paths: [path] });
      answer(story, token, null);
    }
    release(story);
    hold(story);
    expect(story.wanted(`merge:${b}`)).toMatchObject({ onto: TOP });
    story.stacked(b, TOP, commit(202));
    expect(lookedAt(story)).toEqual([d]);
  });

  test('is looked at again when something was stacked while the answer was on its way', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B', 'C'));
    const [, b, c] = tokens as [Token, Token, Token];
    story.queued(b, { paths: ['src/b.ts'] });
    answer(story, b, null);
    story.queued(c, { paths: ['src/b.ts'] });
    expect(lookedAt(story)).toEqual([c]);
    answer(story, c, null);
    story.stacked(b, TOP, commit(202));
    expect(predicts(story.wanted(KEY))).toMatchObject({ top: commit(202), branches: [{ token: c }] });
    story.effects.delete(KEY);
    // As if it had been asked before: about the stack without B.
    answer(story, c, null, TIP, TOP);
    expect(lookedAt(story)).toEqual([c]);
    answer(story, c, null, TIP, commit(202));
    story.turn({ is: 'tick' });
    expect(lookedAt(story)).toEqual([]);
  });

  test('far from the head of the line is looked at once, and again only when it has come near', () => {
    const ids = Array.from({ length: 40 }, (_, index) => `T${String(index).padStart(2, '0')}`);
    const story = new Story(tasksCalled('A', 'B', ...ids));
    story.room(50);
    const [a, b, ...rest] = ['A', 'B', ...ids].map((id) => story.started(id)) as [Token, Token, ...Token[]];
    story.queued(a, { paths: [SHARED] });
    story.stacked(a, TIP, TOP);
    story.queued(b, { paths: [SHARED] });
    hold(story);
    for (const token of rest) {
      story.queued(token, { paths: [SHARED] });
      answer(story, token, null);
    }
    story.effects.clear();
    story.stacked(b, TOP, commit(202));
    const looked = new Set<Token>();
    for (let turn = 0; turn < 10 && lookedAt(story).length > 0; turn++) {
      const effect = predicts(story.wanted(KEY));
      for (const { token } of effect.branches) looked.add(token);
      story.effects.delete(KEY);
      const branches = effect.branches.map(({ token }) => ({ token, clash: null }));
      story.turn({ is: 'predicted', key: KEY, project: P, tip: TIP, top: commit(202), branches });
    }
    expect([...looked]).toEqual(rest.slice(0, 32));
  });

  test('waits when it does not fit on the stack, both sides see it, and it is looked at again when the other has landed', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B'));
    const [a, b] = tokens as [Token, Token];
    story.queued(b, { paths: [SHARED] });
    answer(story, b, TOP);
    const { state } = story.core;
    const task = state.tasks.get(key('p', 'B'));
    expect(task === undefined ? null : clashOf(task)).toEqual({
      code: 409,
      conflicts: [{ path: SHARED, tasks: ['A'] }],
      ours: { task: 'B', title: 'Do B' },
      theirs: [{ task: 'A', title: 'Do A' }],
      attempt: 1,
      times: 0,
      most: 3,
      next: 'waits',
    });
    expect(clashesAgainst(state).get(key('p', 'A'))).toMatchObject([{ ours: { task: 'B' } }]);
    story.effects.clear();
    release(story);
    expect(story.wanted(`merge:${b}`)).toBeUndefined();
    story.green('A');
    story.turn({
      is: 'landed',
      key: `land:${TOP}`,
      project: P,
      tokens: [a],
      onto: TIP,
      commit: TOP,
      before: false,
    });
    expect(story.wanted(`merge:${b}`)).toMatchObject({ onto: TOP });
    story.turn({
      is: 'merge.conflict',
      key: `merge:${b}`,
      token: b,
      onto: TOP,
      conflicts: [{ path: SHARED, tasks: ['A' as never] }],
    });
    expect(task).toMatchObject({
      returns: 1,
      feedback: { why: 'conflict', clash: { code: 409, times: 1, next: 'agent' } },
    });
    expect(story.gates).toBe(1);
  });

  test('that conflicts with integration goes back at once, though the line is held', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B'));
    const [, b] = tokens as [Token, Token];
    story.queued(b, { paths: [SHARED] });
    answer(story, b, TIP);
    expect(story.facts).toContainEqual(
      expect.objectContaining({
        type: 'merge.conflicted',
        token: b,
        onto: TIP,
        clash: expect.objectContaining({
          code: 409,
          ours: { task: 'B', title: 'Do B' },
          times: 1,
          next: 'agent',
        }) as unknown,
      }),
    );
    // On its new base, by another attempt.
    expect(progressOf(story, 'B')).toMatchObject({ at: 'attempt' });
    expect(story.core.state.tasks.get(key('p', 'B'))).toMatchObject({ n: 2 });
  });

  test('for a person is looked at as well: nobody reviews what cannot merge', () => {
    const { story, tokens } = waiting(...tasksCalled('A'), spec('p', 'B', { review: true }));
    const [, b] = tokens as [Token, Token];
    story.queued(b, { paths: [SHARED] });
    expect(progressOf(story, 'B')).toMatchObject({ at: 'review' });
    answer(story, b, TOP);
    expect(progressOf(story, 'B')).toMatchObject({ at: 'review', predicted: { onto: TOP } });
    story.turn({ is: 'based', key: 'base:p', project: P, integration: commit(9) });
    answer(story, b, commit(9), commit(9), commit(9));
    expect(story.core.state.tasks.get(key('p', 'B'))).toMatchObject({ returns: 1, n: 2 });
  });

  test('and whose conflict has gone with the other side is told so', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B'));
    const [, b] = tokens as [Token, Token];
    story.queued(b, { paths: [SHARED] });
    answer(story, b, TOP);
    story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'dropped' } });
    expect(lookedAt(story)).toEqual([b]);
    answer(story, b, null, TIP, TIP);
    expect(progressOf(story, 'B')).not.toHaveProperty('predicted');
    expect(story.facts.at(-1)).toMatchObject({ type: 'merge.predicted', token: b, clash: null });
  });

  test('an answer that was given about another integration counts for nothing', () => {
    const { story, tokens } = waiting(...tasksCalled('A', 'B'));
    const [, b] = tokens as [Token, Token];
    story.queued(b, { paths: [SHARED] });
    answer(story, b, commit(77), commit(77));
    expect(progressOf(story, 'B')).toMatchObject({ at: 'queued' });
    expect(lookedAt(story)).toEqual([b]);
  });
});

test('the third conflict goes to a person, with what to type', () => {
  const { story } = waiting(...tasksCalled('A', 'B'));
  for (const times of [1, 2, 3]) {
    const token = times === 1 ? tokenOf(story, 'B') : story.started('B');
    story.queued(token, { paths: [SHARED] });
    answer(story, token, TIP);
  }
  expect(progressOf(story, 'B')).toMatchObject({
    at: 'parked',
    reason: expect.stringContaining('409') as unknown,
  });
  const task = story.core.state.tasks.get(key('p', 'B'));
  expect(task === undefined ? null : clashOf(task)).toMatchObject({ times: 3, most: 3, next: 'person' });
});

function tokenOf(story: Story, id: string): Token {
  const progress = progressOf(story, id);
  if (progress === undefined || !('token' in progress)) throw new Error(`${id} is at nothing`);
  return progress.token;
}

describe('not one gate run is spent', () => {
  const found = (gate: Finding['gate']): Finding => ({
    gate,
    path: 'src/x.ts',
    line: 1,
    message: 'no',
    fix: null,
  });

  test('on a scope breach, a marker, hostile content or an empty branch', () => {
    const story = new Story(tasksCalled('scope', 'marker', 'hostile', 'empty'));
    for (const [id, gate] of [
      ['scope', 'scope'],
      ['marker', 'placeholder'],
      ['hostile', 'content'],
    ] as const) {
      const token = story.started(id);
      const head = commit(50);
      story.news({ type: 'attempt.ended', token, outcome: { kind: 'done', head, rounds: 1, usage: null } });
      const key = `collect:${token}`;
      story.turn({ is: 'collected', key, token, head, changed: 1, findings: [found(gate)] });
      expect(progressOf(story, id)).toMatchObject({ at: 'failed' });
    }
    const token = story.started('empty');
    const outcome = {
      kind: 'failed',
      cause: 'empty',
      message: 'it changed nothing',
      exitCode: 0,
      rounds: 1,
      usage: null,
    } as const;
    story.news({ type: 'attempt.ended', token, outcome });
    expect(story.gates).toBe(0);
    expect([...story.effects.keys()].filter((key) => key.startsWith('merge:'))).toEqual([]);
  });

  test('on a conflict with integration, or with what is on its way there', () => {
    const story = new Story(tasksCalled('A', 'B', 'C'));
    const [a, b, c] = ['A', 'B', 'C'].map((id) => story.started(id)) as [Token, Token, Token];
    for (const token of [a, b, c]) story.queued(token, { paths: [SHARED] });
    story.stacked(a, TIP, TOP);
    const conflicts = [{ path: SHARED, tasks: ['A' as never] }];
    story.turn({ is: 'merge.waits', key: `merge:${b}`, token: b, onto: TOP, conflicts });
    story.turn({ is: 'merge.conflict', key: `merge:${c}`, token: c, onto: TIP, conflicts });
    expect(story.gateOf('A')).not.toBeNull();
    expect(story.gates).toBe(1);
    expect(progressOf(story, 'B')).toMatchObject({ at: 'queued', predicted: { onto: TOP } });
    expect(story.core.state.tasks.get(key('p', 'C'))).toMatchObject({ returns: 1 });
  });

  test('in the first of two stages, on a branch that conflicts with one that is judged beside it', () => {
    const story = new Story(tasksCalled('A', 'B', 'C'));
    story.manyBad();
    const [a, b, c] = ['A', 'B', 'C'].map((id) => story.started(id)) as [Token, Token, Token];
    story.queued(a, { paths: [SHARED] });
    story.turn({
      is: 'merge.made',
      key: `merge:${a}`,
      token: a,
      onto: TIP,
      commit: TOP,
      tree: 't',
      aside: true,
    });
    story.queued(b, { paths: ['src/b.ts'] });
    expect(story.wanted(`merge:${b}`)).toMatchObject({ aside: true, beside: [] });
    story.turn({
      is: 'merge.made',
      key: `merge:${b}`,
      token: b,
      onto: TIP,
      commit: commit(202),
      tree: 'u',
      aside: true,
    });
    story.queued(c, { paths: [SHARED] });
    expect(story.wanted(`merge:${c}`)).toMatchObject({ aside: true, beside: [TOP] });
    const conflicts = [{ path: SHARED, tasks: ['A' as never] }];
    story.turn({ is: 'merge.waits', key: `merge:${c}`, token: c, onto: TOP, conflicts });
    expect([story.gateOf('A'), story.gateOf('B')]).not.toContain(null);
    expect(story.gates).toBe(2);
  });
});
