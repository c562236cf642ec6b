/** A store that was put back from a backup: what landed since, and what its nodes have acknowledged already. */
import { describe, expect, test } from 'vitest';
import { adoptLandings } from '../../src/controller/reconcile.ts';
import { freshMemory } from '../../src/controller/memory.ts';
import { Turn } from '../../src/controller/turn.ts';
import type { LandedBranch, Landing } from '../../src/git/landings.ts';
import { type CommitId, taskId, type Token } from '../../src/model/ids.ts';
import { violations } from '../../src/model/invariants.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import type { State } from '../../src/model/state.ts';
import { commit, key, spec as specOf } from '../schedule/world.ts';
import { N1, P, Story, TIP } from './story.ts';

const spec = (id: string, over: Partial<TaskSpec> = {}): TaskSpec => specOf('p', id, over);
const lostToken = (number: number): Token => number.toString(16).padStart(32, 'f') as Token;

function branch(task: string, token: Token, number: number, more: Partial<LandedBranch> = {}): LandedBranch {
  const made = { head: commit(number), merge: commit(number + 1), tree: `tree-${number}` };
  return { task: taskId(task), token, undoes: false, base: TIP, changed: 1, ...made, ...more };
}

function adopt(state: State, ...landings: Landing[]): ReturnType<typeof adoptLandings> {
  return adoptLandings(new Turn(state, freshMemory(state), 1, 9_000_000), P, landings);
}

const words = (state: State): Record<string, string> =>
  Object.fromEntries([...state.tasks.values()].map(({ spec: { id }, progress }) => [id, progress.at]));

describe('what landed after the backup', () => {
  test('is merged in the store: a stack with a running attempt, a later one, and what depends on them', () => {
    const story = new Story([spec('a'), spec('b'), spec('c', { dependsOn: [taskId('a')] }), spec('d')]);
    const a = story.started('a');
    story.started('b');
    const { state } = story.core;
    const stack = {
      commit: commit(60),
      onto: TIP,
      brings: [branch('a', a, 50), branch('b', lostToken(1), 53)],
    };
    const alone = { commit: commit(71), onto: commit(60), brings: [branch('c', lostToken(2), 70)] };
    const { tasks, problems } = adopt(state, stack, alone);
    expect({ tasks, problems }).toEqual({ tasks: ['p/a', 'p/b', 'p/c'], problems: [] });
    expect(words(state)).toEqual({ a: 'merged', b: 'merged', c: 'merged', d: 'attempt' });
    expect(state.projects.get(P)?.integration).toBe(commit(71));
    expect(state.tasks.get(key('p', 'b'))).toMatchObject({ n: 2 });
    expect(violations(state)).toEqual([]);
  });

  test('is not set back by a collect that was under way in the backup', () => {
    const story = new Story([spec('a')]);
    const a = story.started('a');
    const { state } = story.core;
    story.turn({ is: 'command', command: { verb: 'collect', project: P } });
    expect(state.projects.get(P)?.delivery).not.toBeNull();
    adopt(state, { commit: commit(51), onto: TIP, brings: [branch('a', a, 50)] });
    expect(state.projects.get(P)).toMatchObject({ delivery: null, integration: commit(51) });
  });

  test('and was taken out again is reverted', () => {
    const story = new Story([spec('a')]);
    const a = story.started('a');
    const { state } = story.core;
    const landed = { commit: commit(51), onto: TIP, brings: [branch('a', a, 50)] };
    const undone = { commit: commit(61), onto: commit(51), brings: [branch('a', a, 60, { undoes: true })] };
    expect(adopt(state, landed, undone)).toMatchObject({ problems: [] });
    expect(words(state)).toEqual({ a: 'reverted' });
    expect(violations(state)).toEqual([]);
  });

  test('and stood elsewhere in the queue then goes on from there, and nothing else keeps its place on the stack', () => {
    const story = new Story([spec('a'), spec('b')]);
    const a = story.started('a');
    const b = story.started('b');
    story.queued(a);
    story.queued(b);
    story.merged(a, TIP, 80, 'tree-80');
    const { state } = story.core;
    expect(words(state)).toEqual({ a: 'gating', b: 'queued' });
    const progress = state.tasks.get(key('p', 'b'))?.progress;
    const head = progress !== undefined && 'head' in progress ? progress.head : TIP;
    const { problems } = adopt(state, {
      commit: commit(51),
      onto: TIP,
      brings: [branch('b', b, 50, { head })],
    });
    expect(problems).toEqual([]);
    expect(words(state)).toEqual({ a: 'queued', b: 'merged' });
    expect(violations(state)).toEqual([]);
  });

  test('shows that a change of the contract which waited for a person was accepted', () => {
    const story = new Story([spec('a'), spec('b')]);
    story.started('b');
    const { state } = story.core;
    const turn = new Turn(state, freshMemory(state), 1, 9_000_000);
    const project = state.projects.get(P);
    if (project === undefined) throw new Error('there is a project');
    project.config = { ...project.config, contract: 'SHARED.md' };
    const contract = { project: P, path: 'SHARED.md' };
    turn.record({ type: 'contract.accepted', ...contract, hash: 'one', by: 'dispatch' });
    turn.record({ type: 'contract.changed', ...contract, hash: 'two', commit: TIP });
    const landed = { commit: commit(51), onto: TIP, brings: [branch('a', lostToken(1), 50)] };
    expect(adopt(state, landed)).toEqual({ tasks: ['p/a'], problems: [] });
    expect(project.contract).toEqual({ path: 'SHARED.md', accepted: 'two', changed: null });
    // What was made under the one before starts again.
    expect(words(state)).toEqual({ a: 'merged', b: 'open' });
  });

  test('and fits nowhere is named, and does not run again', () => {
    const story = new Story([spec('a', { dependsOn: [taskId('z')] }), spec('z')]);
    const { state } = story.core;
    const brings = [branch('a', lostToken(1), 50), branch('gone', lostToken(2), 53)];
    const { tasks, problems } = adopt(state, { commit: commit(60), onto: TIP, brings });
    expect(tasks).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(/^p\/a landed as \w{12}: it is cancelled here$/u),
      expect.stringMatching(/^p\/gone landed as \w{12}, and there is no such spec$/u),
    ]);
    expect(words(state)).toEqual({ a: 'cancelled', z: 'attempt' });
    expect(state.projects.get(P)?.integration).toBe(commit(60) as CommitId);
    expect(violations(state)).toEqual([]);
  });
});

describe('a node whose journal no longer reaches back to what the store knows', () => {
  const up = (story: Story, token: Token, held: number): void => {
    const welcome = {
      protocol: 1,
      program: 'x',
      bootId: 'b',
      journal: 'disk',
      seq: 9,
      held,
      platform: 'linux',
      epoch: 1,
    };
    const outcome = { kind: 'done', head: commit(50), rounds: 1, usage: null } as const;
    const entry = {
      token,
      project: P,
      task: taskId('a'),
      n: 1,
      state: 'ended',
      outcome,
      logBytes: 0,
    } as const;
    story.turn({ is: 'node.up', node: N1, welcome, inventory: [entry] });
  };

  test('is believed how an attempt ended, because nobody will tell of it again', () => {
    const story = new Story([spec('a')]);
    const a = story.started('a');
    up(story, a, 9);
    expect(words(story.core.state)).toEqual({ a: 'finished' });
    expect(story.wanted(`collect:${a}`)).toBeDefined();
  });

  test('says that an order is of an attempt that it has forgotten: what became of it nobody tells, and it is tried again', () => {
    const story = new Story([spec('a')]);
    const { progress } = story.core.state.tasks.get(key('p', 'a')) ?? {};
    const token = progress?.at === 'attempt' ? progress.token : lostToken(1);
    const refused = { is: 'start.refused', refusal: 'forgotten', message: 'it was here' } as const;
    story.turn({ ...refused, key: `start:${token}`, token });
    expect(story.core.state.attempts.get(token)?.phase.is).toBe('fenced');
    expect(story.core.state.tasks.get(key('p', 'a'))).toMatchObject({ losses: 1, progress: { at: 'open' } });
  });

  test('and one whose journal does is waited for', () => {
    const story = new Story([spec('a')]);
    const a = story.started('a');
    up(story, a, 2);
    expect(words(story.core.state)).toEqual({ a: 'attempt' });
    story.news({
      type: 'attempt.ended',
      token: a,
      outcome: { kind: 'done', head: commit(50), rounds: 1, usage: null },
    });
    expect(words(story.core.state)).toEqual({ a: 'finished' });
  });
});
