import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/model/event.ts';
import { IllegalFact } from '../../src/model/found.ts';
import { violations } from '../../src/model/invariants.ts';
import {
  added,
  BASE,
  claim,
  commit,
  config,
  done,
  key,
  PROJECT,
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

  it('lets go of the paths of a task that waits again, or what it waits for could never be done again', () => {
    const story = Story.of(...SET_UP, added('A'), added('B', { dependsOn: [spec('A').id] }));
    story.tell(...wayToMerge('A', 1, BASE), claim('B', 2));
    const revert = { type: 'revert.requested', task: key('A'), by: 'ana', reason: 'wrong' } as const;
    story.tell(revert);
    const B = story.state.tasks.get(key('B'));
    expect(B).toMatchObject({ unmet: 1, locked: true, progress: { at: 'attempt' } });
    story.tell(
      { type: 'attempt.ended', token: token(2), outcome: { kind: 'lost', why: 'killed' } },
      { type: 'task.backedoff', task: key('B'), notBefore: 0, reason: 'lost' },
    );
    expect(B).toMatchObject({ unmet: 1, locked: false, progress: { at: 'open' } });
    expect(violations(story.state)).toEqual([]);
    story.tell({ type: 'revert.refused', token: token(1), reason: 'given up' });
    expect(B).toMatchObject({ unmet: 0 });
    expect([...story.state.startable]).toEqual([key('B')]);
    expect(violations(story.state)).toEqual([]);
  });

  it('forgets how many tests there were when a revert lands on a tree that was not counted again', () => {
    const counted = { verify: 'make test', ran: 15, skipped: 0 };
    const way = wayToMerge('A', 1, BASE);
    const landed = { ...way.at(-1), tests: [counted] } as Fact;
    const story = Story.of(...SET_UP, added('A'), ...way.slice(0, -1), landed);
    const project = story.state.projects.get(PROJECT);
    expect(project?.tests).toEqual([counted]);
    const landing = { token: token(1), onto: commit(0x2001), commit: commit(7) };
    story.tell(
      { type: 'revert.requested', task: key('A'), by: 'ana', reason: 'wrong' },
      { type: 'merge.prepared', ...landing, tree: 'without', aside: false },
      { type: 'merge.passed', token: token(1), tree: 'without', below: [] },
      { type: 'revert.landed', ...landing },
    );
    expect(project?.tests).toEqual([]);
  });

  it('takes a revert through the queue like a branch, and the task is open for another try after it', () => {
    const story = Story.of(...SET_UP, added('A'), ...wayToMerge('A', 1, BASE));
    const A = story.state.tasks.get(key('A'));
    const merged = A?.progress;
    story.tell({ type: 'revert.requested', task: key('A'), by: 'ana', reason: 'wrong' });
    expect(() => story.tell({ type: 'task.cancelled', task: key('A'), reason: 'r' })).toThrow(IllegalFact);
    story.tell({ type: 'revert.refused', token: token(1), reason: 'given up' });
    expect(A?.progress).toEqual(merged);
    const onto = commit(0x2001);
    const landing = { token: token(1), onto, commit: commit(7) };
    story.tell(
      { type: 'revert.requested', task: key('A'), by: 'ana', reason: 'wrong' },
      { type: 'merge.prepared', ...landing, tree: 'without', aside: false },
      { type: 'merge.raced', token: token(1) },
      { type: 'merge.prepared', ...landing, tree: 'without', aside: false },
      { type: 'merge.passed', token: token(1), tree: 'without', below: [] },
    );
    expect(() => story.tell({ type: 'merge.landed', ...landing })).toThrow(IllegalFact);
    story.tell({ type: 'revert.landed', ...landing });
    expect(A?.progress).toMatchObject({ at: 'reverted', commit: commit(7), by: 'ana', reason: 'wrong' });
    expect(A?.feedback).toEqual({ why: 'reverted', reason: 'wrong', previous: commit(0x1001) });
    expect(() => story.tell({ type: 'revert.requested', task: key('A'), by: 'ana', reason: 'r' })).toThrow();
    story.tell({ type: 'task.retried', task: key('A'), by: 'ana' }, claim('A', 3, 2));
    expect(violations(story.state)).toEqual([]);
  });
});
