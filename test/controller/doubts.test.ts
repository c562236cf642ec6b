/** What a controller does when it finds that something does not hold that must always hold. */
import { describe, expect, test } from 'vitest';
import type { Task } from '../../src/model/task.ts';
import { key, spec } from '../schedule/world.ts';
import { Core } from '../../src/controller/core.ts';
import { DoubtNews } from '../../src/controller/doubt-news.ts';
import { Story } from './story.ts';

function taskOf(story: Story, id: string): Task {
  const task = story.core.state.tasks.get(key('p', id));
  if (task === undefined) throw new Error(`no ${id}`);
  return task;
}

describe('a core in which something does not hold', () => {
  test('says so in the turn that touched it, starts no work, and still takes in what agents bring', () => {
    const story = new Story([spec('p', 'A'), spec('p', 'B', { dependsOn: [spec('p', 'A').id] })]);
    const token = story.started('A');
    taskOf(story, 'A').n = 0;
    story.queued(token);
    expect([...story.core.memory.doubts]).toEqual(
      expect.arrayContaining(['p/A: n went from 1 back to 0', 'p/A: finished with attempt 1 of 0']),
    );
    expect(story.wanted(`collect:${token}`)).toBeDefined();
    expect(story.core.snapshot().dispatching.size).toBe(0);
  });

  test('neither lands nor lets a node forget anything', () => {
    const story = new Story([spec('p', 'A'), spec('p', 'B')]);
    const [a, b] = [story.started('A'), story.started('B')];
    taskOf(story, 'B').n = 0;
    story.news({ type: 'attempt.ended', token: b, outcome: { kind: 'lost', why: 'killed' } });
    expect(story.core.memory.doubts.size).toBeGreaterThan(0);
    const merged = story.landing(a);
    expect(taskOf(story, 'A').progress.at).toBe('landing');
    expect(story.wanted(`land:${merged}`)).toBeUndefined();
    expect(story.wanted(`forget:${b}`)).toBeUndefined();
  });

  test('finds in a look at the whole state what no turn has touched, and the next one begins with that', () => {
    const story = new Story([spec('p', 'A')]);
    const { state } = story.core;
    state.startable.add(key('p', 'A'));
    expect([...story.core.lookOver()]).toEqual(['index startable: p/A does not belong there']);
    const next = new Core(state, { epoch: 2, random: () => new Uint8Array(16) });
    expect(next.lookOver().size).toBe(1);
    state.startable.delete(key('p', 'A'));
    expect(new Core(state, { epoch: 3, random: () => new Uint8Array(16) }).lookOver().size).toBe(0);
  });
});

test('each is told once', () => {
  const news = new DoubtNews();
  const doubts = new Set<string>();
  const told = (): string[] =>
    news.look(doubts).map(({ code, message }) => `${code} ${message.split(': ').at(-1)}`);
  expect(told()).toEqual([]);
  doubts.add('one');
  expect(told()).toEqual(['E_INVARIANT one']);
  expect(told()).toEqual([]);
  doubts.add('two');
  expect(told()).toEqual(['E_INVARIANT two']);
});
