import fc from '../property.ts';
import { expect, test } from 'vitest';
import { findCycles } from '../../src/plan/cycles.ts';

test('a cycle is named in waiting order, the shortest through its first member', () => {
  const graph = new Map([
    ['c', ['a']],
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['d', ['a']],
    ['self', ['self']],
    ['free', ['a', 'unknown']],
  ]);
  expect(findCycles(graph)).toEqual([['a', 'd'], ['self']]);
});

test('a chain of 50,000 has none, and does not overflow the stack', () => {
  const chain = new Map(Array.from({ length: 50_000 }, (_, i) => [`${i}`, i === 0 ? [] : [`${i - 1}`]]));
  expect(findCycles(chain)).toEqual([]);
  chain.set('0', ['49999']);
  expect(findCycles(chain)[0]).toHaveLength(50_000);
});

test('there is a cycle exactly when some task could never start, and every cycle named is one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(11), { maxLength: 2 }), { minLength: 12, maxLength: 12 }),
      (edges) => {
        const graph = new Map(edges.map((needs, i) => [`${i}`, needs.map(String)]));
        const done = new Set<string>();
        for (let before = -1; before < done.size; ) {
          before = done.size;
          for (const [id, needs] of graph) if (needs.every((needed) => done.has(needed))) done.add(id);
        }
        const cycles = findCycles(graph);
        expect(cycles.length > 0).toBe(done.size < graph.size);
        for (const cycle of cycles) {
          for (const [i, id] of cycle.entries())
            expect(graph.get(id)).toContain(cycle[(i + 1) % cycle.length]);
        }
      },
    ),
  );
});
