import { describe, expect, it } from 'vitest';
import { IllegalFact } from '../../src/model/evolve.ts';
import { violations } from '../../src/model/invariants.ts';
import {
  added,
  BASE,
  claim,
  commit,
  config,
  done,
  key,
  SET_UP,
  Story,
  spec,
  token,
  wayToMerge,
} from './builder.ts';

describe('evolve', () => {
  it('refuses the end of an attempt whose task was cancelled without fencing it, so that final stays final', () => {
    const story = Story.of(...SET_UP, added('A'), claim('A', 1));
    story.tell({ type: 'task.cancelled', task: key('A'), reason: 'not needed' });
    expect(() => story.tell({ type: 'attempt.ended', token: token(1), outcome: done(commit(9)) })).toThrow(
      IllegalFact,
    );
    expect(story.state.tasks.get(key('A'))?.progress.at).toBe('cancelled');
  });

  it('refuses the end of an attempt when a newer one is at work', () => {
    const story = Story.of(...SET_UP, added('A'), claim('A', 1));
    story.tell({ type: 'task.backedoff', task: key('A'), notBefore: 0, reason: 'r' }, claim('A', 2, 2));
    expect(() => story.tell({ type: 'attempt.ended', token: token(1), outcome: done(commit(9)) })).toThrow(
      IllegalFact,
    );
    expect(story.state.tasks.get(key('A'))?.progress).toEqual({ at: 'attempt', token: token(2) });
  });

  it('completes a task only with the attempt that it is at, and only after that has ended', () => {
    const story = Story.of(
      { type: 'project.configured', config: config({ repo: null }) },
      added('A'),
      added('B'),
      claim('A', 1),
      claim('B', 2),
    );
    const complete = (number: number) =>
      story.tell({ type: 'task.completed', task: key('A'), token: token(number) });
    expect(() => complete(1)).toThrow(IllegalFact);
    expect(() => complete(2)).toThrow(IllegalFact);
    story.tell({ type: 'attempt.ended', token: token(1), outcome: done(null) });
    complete(1);
    expect(story.state.tasks.get(key('A'))?.progress).toMatchObject({ at: 'merged', token: token(1) });
  });

  it('refuses a claim that comes too early, twice, or with a number that is not the next one', () => {
    const story = Story.of(...SET_UP, added('A'), added('B', { dependsOn: [spec('A').id] }));
    expect(() => story.tell(claim('B', 1))).toThrow('a dependency has not merged');
    expect(() => story.tell(claim('A', 1, 2))).toThrow('attempt 2 after 0');
    story.tell(claim('A', 1));
    expect(() => story.tell(claim('A', 2, 2))).toThrow('task is attempt');
    expect(() => story.tell(claim('A', 1, 2))).toThrow('the token is in use');
  });

  it('leaves no empty set of dependents behind when a dependency is dropped', () => {
    const story = Story.of(...SET_UP, added('B', { dependsOn: [spec('A').id] }));
    story.tell({ type: 'task.changed', spec: spec('B'), text: '' });
    expect(story.state.dependents.size).toBe(0);
    expect([...story.state.startable]).toEqual([key('B')]);
  });

  it('counts a dependency that is added and merges later', () => {
    const story = Story.of(...SET_UP, added('B', { dependsOn: [spec('A').id] }), added('A'));
    expect([...story.state.startable]).toEqual([key('A')]);
    story.tell(...wayToMerge('A', 1, BASE));
    expect([...story.state.startable]).toEqual([key('B')]);
    expect(violations(story.state)).toEqual([]);
  });
});
