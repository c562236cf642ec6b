import { describe, expect, test } from 'vitest';
import { doubtOf } from '../../src/merge/doubt.ts';
import type { Fact } from '../../src/model/event.ts';
import { added, BASE, claim, commit, key, SET_UP, Story, token } from '../model/builder.ts';

/** The doubt about a branch that is in the queue, after facts that change what is known of it. */
function doubt(accepted: Partial<Extract<Fact, { type: 'candidate.accepted' }>> = {}, rounds = 1) {
  const story = Story.of(...SET_UP);
  const [work, head] = [token(1), commit(0x100)];
  story.tell(
    added('S01'),
    claim('S01', 1),
    { type: 'attempt.ended', token: work, outcome: { kind: 'done', head, rounds, usage: null } },
    { type: 'candidate.accepted', token: work, head, changed: 3, changesTests: true, ...accepted },
  );
  const task = story.state.tasks.get(key('S01'));
  if (task === undefined) throw new Error('no task');
  return { story, task, now: () => doubtOf(task, story.state.attempts.get(work)) };
}

describe('the doubt about a branch', () => {
  test('is one in twenty when nothing speaks against it', () => {
    expect(doubt().now()).toEqual({ chance: expect.closeTo(0.05, 6) as number, signs: [] });
  });

  test('grows with rounds, size and missing tests, and each sign is said', () => {
    const { chance, signs } = doubt({ changed: 120, changesTests: false }, 3).now();
    expect(signs).toEqual(['took 3 rounds', 'changes 120 files', 'changes no test']);
    expect(chance).toBeGreaterThan(0.25);
    expect(doubt({ changed: 21 }).now().signs).toEqual(['changes 21 files']);
  });

  test('says nothing of tests when it is not known whether there are some', () => {
    const { story, task } = doubt();
    const attempt = story.state.attempts.get(token(1));
    if (attempt?.phase.is !== 'ended') throw new Error('not ended');
    attempt.phase = { ...attempt.phase, branch: { changed: 3, tests: null } };
    expect(doubtOf(task, attempt).signs).toEqual([]);
  });

  test('grows when earlier work of the task failed, conflicted or was red on the merged tree', () => {
    const { task, now } = doubt();
    task.failures = 2;
    task.returns = 1;
    const conflicted = now();
    expect(conflicted.signs).toEqual(['2 attempts failed before', 'came back 1 time']);
    task.feedback = { why: 'gate', findings: [], output: '', previous: BASE };
    expect(now().signs).toContain('was red on the merged tree');
    expect(now().chance).toBeGreaterThan(conflicted.chance);
  });

  test('all but goes once a gate has found it good by itself, and never reaches certainty', () => {
    const { task, now } = doubt({ changed: 1000, changesTests: false }, 99);
    Object.assign(task, { failures: 99, returns: 3 });
    expect(now().chance).toBeLessThan(1);
    const before = now().chance;
    if (task.progress.at === 'queued') task.progress = { ...task.progress, cleared: true };
    expect(now().chance).toBeLessThan(before);
    expect(now().signs[0]).toBe('good by itself');
  });
});
