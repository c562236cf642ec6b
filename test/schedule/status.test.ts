import { describe, expect, test } from 'vitest';
import { statuses, statusOf, type StatusWord } from '../../src/schedule/status.ts';
import { clash } from '../model/builder.ts';
import { key, World } from './world.ts';

const conflict = { type: 'merge.conflicted', clash: clash('A') } as const;

describe('the word for a task', () => {
  const table: [StatusWord, string, (world: World) => void][] = [
    ['ready', 'nothing stands in its way', () => {}],
    [
      'waiting',
      'it backs off',
      (w) => w.record({ type: 'task.backedoff', task: key('p', 'A'), notBefore: w.now + 1, reason: '' }),
    ],
    ['running', 'an attempt is claimed', (w) => void w.claim('p', 'A', 'n1')],
    ['gating', 'the branch is in the merge queue', (w) => void w.queue(w.claim('p', 'A', 'n1'))],
    ['gating', 'the merged tree is being gated', (w) => void w.prepare(w.claim('p', 'A', 'n1'))],
    ['merged', 'it has merged', (w) => void w.merge(w.claim('p', 'A', 'n1'))],
    [
      'conflict',
      'it goes back to an agent because of a conflict',
      (w) => {
        const token = w.claim('p', 'A', 'n1');
        w.queue(token).record({ ...conflict, token, onto: w.commit() });
      },
    ],
    [
      'conflict',
      'it waits for a person',
      (w) => {
        const token = w.claim('p', 'A', 'n1');
        w.record({ type: 'task.parked', task: key('p', 'A'), token, reason: 'x' });
      },
    ],
    [
      'failed',
      'it failed',
      (w) => w.record({ type: 'task.failed', task: key('p', 'A'), reason: 'x', findings: [] }),
    ],
    [
      'cancelled',
      'it was cancelled',
      (w) => w.record({ type: 'task.cancelled', task: key('p', 'A'), reason: 'x' }),
    ],
  ];
  test.each(table)('is %s when %s', (word, _, arrange) => {
    const world = new World().project('p').node('n1').add('p', 'A');
    arrange(world);
    expect(statusOf(world.task('p', 'A'), world.state, world.now)).toBe(word);
    expect(statuses(world.state, world.now).get(key('p', 'A'))).toBe(word);
  });

  test('is review while a person looks at it', () => {
    const world = new World().project('p').node('n1').add('p', 'A', { review: true });
    world.queue(world.claim('p', 'A', 'n1'));
    expect(statusOf(world.task('p', 'A'), world.state)).toBe('review');
  });

  test('is locked while another task holds a path of it', () => {
    const world = new World().project('p').node('n1');
    world.add('p', 'A', { modifies: ['x/'] }).add('p', 'B', { modifies: ['x/b.ts'] });
    world.claim('p', 'A', 'n1');
    expect(statusOf(world.task('p', 'B'), world.state)).toBe('locked');
  });

  test('is blocked below a failed, cancelled or parked task, however far, and waiting below a live one', () => {
    const world = new World().project('p').node('n1').add('p', 'A').add('p', 'live');
    world.add('p', 'B', { dependsOn: ['A'] as never }).add('p', 'C', { dependsOn: ['B'] as never });
    world.add('p', 'D', { dependsOn: ['live'] as never });
    expect(statusOf(world.task('p', 'C'), world.state)).toBe('waiting');
    const token = world.claim('p', 'A', 'n1');
    world.record({ type: 'task.parked', task: key('p', 'A'), token, reason: 'x' });
    const words = Object.fromEntries(statuses(world.state));
    expect(words).toEqual({
      'p/A': 'conflict',
      'p/live': 'ready',
      'p/B': 'blocked',
      'p/C': 'blocked',
      'p/D': 'waiting',
    });
    for (const task of world.state.tasks.values()) expect(statusOf(task, world.state)).toBe(words[task.key]);
  });

  test('a chain of 20,000 tasks below a failed one is blocked to its end', () => {
    const world = new World().project('p').add('p', 'T0');
    for (let i = 1; i < 20_000; i++) world.add('p', `T${i}`, { dependsOn: [`T${i - 1}`] as never });
    world.record({ type: 'task.failed', task: key('p', 'T0'), reason: 'x', findings: [] });
    expect(statusOf(world.task('p', 'T19999'), world.state)).toBe('blocked');
    expect(statuses(world.state).get(key('p', 'T19999'))).toBe('blocked');
  });
});
