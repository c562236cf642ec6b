/** A machine that slept: what is noticed, and what the core makes of it. */
import { describe, expect, test } from 'vitest';
import { Core } from '../../src/controller/core.ts';
import type { Effect, Input } from '../../src/controller/door.ts';
import { awakeBetween, sleptBetween } from '../../src/controller/sleep.ts';
import type { Fact } from '../../src/model/event.ts';
import { nodeName, projectName } from '../../src/model/ids.ts';
import { emptyState } from '../../src/model/state.ts';
import { config, key, node, spec } from '../schedule/world.ts';

const HOUR = 3_600_000;

describe('sleep is noticed', () => {
  test.each([
    ['a look in time', { wall: 1000, mono: 1000 }, null],
    ['a busy machine', { wall: 4000, mono: 4000 }, null],
    ['a monotonic clock that stood still', { wall: 8 * HOUR + 1000, mono: 1000 }, 8 * HOUR],
    ['a monotonic clock that went on, or a stopped process', { wall: HOUR, mono: HOUR }, HOUR - 1000],
    ['both, one after the other', { wall: 2 * HOUR + 1000, mono: HOUR + 1000 }, 2 * HOUR],
    ['a clock that was set back', { wall: -HOUR, mono: 1000 }, null],
    ['a clock that was set by a little', { wall: 2500, mono: 1000 }, null],
  ])('%s', (_, passed, slept) => {
    const before = { wall: 1_700_000_000_000, mono: 5000 };
    const now = { wall: before.wall + passed.wall, mono: before.mono + passed.mono };
    expect(sleptBetween(before, now)).toBe(slept);
  });
});

describe('time is charged to a silent node', () => {
  test.each([
    ['by the look that it took', { wall: 1000, mono: 1000 }, 1000],
    ['by the monotonic clock, when the other was set forward', { wall: HOUR, mono: 1000 }, 1000],
    ['by the monotonic clock, when the other was set back', { wall: -HOUR, mono: 1000 }, 1000],
    ['no more than one look, when nobody looked for long', { wall: 4000, mono: 4000 }, 1000],
    ['what is left of a look, when the clock stood still', { wall: HOUR, mono: 300 }, 300],
  ])('%s', (_, passed, charged) => {
    const before = { wall: 1_700_000_000_000, mono: 5000 };
    const now = { wall: before.wall + passed.wall, mono: before.mono + passed.mono };
    expect(awakeBetween(before, now)).toBe(charged);
  });
});

describe('after sleep', () => {
  test('nothing is placed on a node before it has answered, and then at once', () => {
    const story = new Story(['A']);
    story.wake(8 * HOUR);
    story.load(['A', 'B']);
    expect(story.core.state.tasks.get(key('p', 'B'))?.progress.at).toBe('open');
    const facts = story.turn({ is: 'node.alive', node: N1 });
    expect(facts).toMatchObject([{ type: 'attempt.claimed', task: key('p', 'B') }]);
  });

  test('the attempts that ran are neither lost nor asked for again, however long it was', () => {
    const story = new Story(['A']);
    const before = story.core.state.tasks.get(key('p', 'A'));
    const attempt = structuredClone(before?.progress);
    expect(story.wake(30 * 24 * HOUR)).toEqual([{ type: 'controller.slept', ms: 30 * 24 * HOUR }]);
    story.turn({ is: 'tick' });
    story.turn({ is: 'node.alive', node: N1 });
    expect(story.core.state.tasks.get(key('p', 'A'))?.progress).toEqual(attempt);
    expect(before).toMatchObject({ losses: 0, failures: 0, n: 1 });
  });

  test('a cancel waits until the node has answered', () => {
    const story = new Story(['A']);
    const progress = story.core.state.tasks.get(key('p', 'A'))?.progress;
    const token = progress?.at === 'attempt' ? progress.token : '';
    story.wake(HOUR);
    story.turn({ is: 'command', command: { verb: 'cancel', task: key('p', 'A'), reason: 'enough' } });
    expect(story.effects.has(`cancel:${token}`)).toBe(false);
    story.turn({ is: 'node.alive', node: N1 });
    expect(story.effects.has(`cancel:${token}`)).toBe(true);
  });

  test('a node that a person gave up meanwhile is used again once it has answered', () => {
    const story = new Story(['A']);
    const progress = story.core.state.tasks.get(key('p', 'A'))?.progress;
    const token = progress?.at === 'attempt' ? progress.token : '';
    story.wake(HOUR);
    story.turn({ is: 'command', command: { verb: 'expire', node: N1, by: 'somebody' } });
    expect(story.core.state.nodes.get(N1)?.silence).toMatchObject({ is: 'lost' });
    const facts = story.turn({ is: 'node.alive', node: N1 });
    expect(facts).toMatchObject([{ type: 'node.connected', node: N1 }, { type: 'attempt.claimed' }]);
    expect(story.core.state.nodes.get(N1)?.silence).toBeNull();
    expect(story.effects.has(`cancel:${token}`)).toBe(true);
  });

  test('a connection that did not outlive it is recorded as gone, and the next one is used', () => {
    const story = new Story(['A']);
    story.wake(HOUR);
    const gone = { is: 'node.down', node: N1, reason: 'no answer' } as const;
    expect(story.turn(gone)).toEqual([{ type: 'node.disconnected', node: N1, reason: 'no answer' }]);
    expect(story.turn(gone)).toEqual([]);
    story.load(['A', 'B']);
    story.up();
    expect(story.core.state.tasks.get(key('p', 'B'))?.progress.at).toBe('attempt');
    // News of the old connection that comes late changes nothing.
    expect(story.turn({ is: 'node.alive', node: N1 })).toEqual([]);
  });

  test('nobody concludes from a node that has not answered yet that it cannot be reached', () => {
    const story = new Story(['A']);
    story.wake(HOUR);
    expect(story.core.memory.tried.has(N1)).toBe(false);
    story.turn({ is: 'node.down', node: N1, reason: 'no answer' });
    expect(story.core.memory.tried.has(N1)).toBe(true);
  });
});

const N1 = nodeName('n1');

/** One project of commands, and one node that has two slots and is connected. */
class Story {
  readonly core = new Core(emptyState(), { epoch: 1, random: () => this.#bytes() });
  /** Every effect wanted so far, by key. */
  readonly effects = new Map<string, Effect>();
  #now = 1_700_000_000_000;
  #tokens = 0;

  constructor(ids: readonly string[]) {
    this.core.setNodes([node('n1', { slots: 2 })]);
    this.load(ids);
    this.turn({ is: 'command', command: { verb: 'start', project: projectName('p') } });
    this.up();
    for (const token of this.core.memory.unordered)
      this.turn({ is: 'started', key: `start:${token}`, token });
  }

  turn(input: Input): readonly Fact[] {
    this.#now += 1;
    const { events, effects } = this.core.turn([input], this.#now);
    for (const effect of effects) this.effects.set(effect.key, effect);
    return events.map(({ fact }) => fact);
  }

  wake(sleptMs: number): readonly Fact[] {
    this.#now += sleptMs;
    return this.turn({ is: 'woke', sleptMs });
  }

  load(ids: readonly string[]): void {
    const specs = ids.map((id) => ({ spec: spec('p', id, { modifies: [] }), text: '' }));
    this.turn({
      is: 'command',
      command: { verb: 'load', config: config('p', { repo: null }), specs },
    });
  }

  up(): void {
    const welcome = {
      protocol: 1,
      program: 'x',
      bootId: 'b',
      journal: 'disk',
      seq: 0,
      platform: 'linux',
      epoch: 1,
    };
    const inventory = [...(this.core.state.live.get(N1) ?? [])].map((token) => ({
      token,
      project: projectName('p'),
      task: spec('p', 'A').id,
      n: 1,
      state: 'running' as const,
      outcome: null,
      logBytes: 0,
    }));
    this.turn({ is: 'node.up', node: N1, welcome, inventory });
  }

  #bytes(): Uint8Array {
    this.#tokens += 1;
    return new Uint8Array(16).fill(this.#tokens);
  }
}
