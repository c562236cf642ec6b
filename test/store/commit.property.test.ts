import fc from '../property.ts';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/model/event.ts';
import { violations } from '../../src/model/invariants.ts';
import type { State } from '../../src/model/state.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { History, SHARED } from '../model/history.ts';

/** Each number is a step; a step whose number divides by three without rest also ends the group that one commit takes. */
const numbers = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 300, size: 'max' });

describe('a store fed with random histories in groups', () => {
  it('loads exactly the state that evolve gave, and its tables agree with its events', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, async (steps) => {
        const store = await openSqliteStore(':memory:');
        const lease = await store.acquire('laptop', 7, 1000);
        const history = new History();
        let group: NewEvent[] = [];
        for (const step of steps) {
          group.push(...history.step(step));
          if (step % 3 !== 0) continue;
          expect(await store.commit(lease, group, history.state)).toBe(history.events.length);
          group = [];
        }
        await store.commit(lease, group, history.state);

        const loaded = await store.load();
        expect(loaded).toEqual(history.state);
        expect(orders(loaded)).toEqual(orders(history.state));
        expect(violations(loaded, SHARED)).toEqual([]);
        expect(await store.replayCheck()).toEqual([]);
        expect(await store.events(0, 1_000_000)).toEqual(history.events);
        await store.close();
      }),
      { numRuns: 60 },
    );
  });

  it('loads the state after each single commit', async () => {
    const store = await openSqliteStore(':memory:');
    const lease = await store.acquire('laptop', 7, 1000);
    const history = new History();
    for (let step = 0; step < 400; step += 1) {
      await store.commit(lease, history.step(step * 104_729), history.state);
      expect(await store.load()).toEqual(history.state);
    }
    expect(await store.replayCheck()).toEqual([]);
    await store.close();
  });
});

/** Comparing maps ignores their order, and ties between tasks are broken by it. */
function orders(state: State): unknown {
  const { projects, tasks, attempts, nodes, live } = state;
  return {
    maps: [projects, tasks, attempts, nodes, live].map((map) => [...map.keys()]),
    live: [...live.values()].map((tokens) => [...tokens]),
  };
}
