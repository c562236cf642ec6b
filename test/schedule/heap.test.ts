import fc from '../property.ts';
import { expect, test } from 'vitest';
import { Heap } from '../../src/schedule/heap.ts';

test('items come out smallest first, whatever order they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap([...items], (a, b) => a - b);
      const out: number[] = [];
      while (heap.peek() !== undefined) out.push(heap.pop() ?? Number.NaN);
      expect(out).toEqual(items.toSorted((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test('only the items that are taken out are put in order', () => {
  let comparisons = 0;
  const items = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_000);
  const heap = new Heap(items, (a, b) => {
    comparisons += 1;
    return a - b;
  });
  expect([heap.pop(), heap.pop(), heap.pop()]).toEqual([0, 1, 2]);
  expect(comparisons).toBeLessThan(2.2 * 10_000);
});

test('an item that is put in later comes out in its place', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), fc.boolean(), (first, later, atOnce) => {
      const heap = new Heap([...first], (a, b) => a - b);
      if (atOnce) heap.pushAll(later);
      else for (const item of later) heap.push(item);
      expect(heap.size).toBe(first.length + later.length);
      const out: number[] = [];
      while (heap.peek() !== undefined) out.push(heap.pop() ?? Number.NaN);
      expect(out).toEqual([...first, ...later].toSorted((a, b) => a - b));
    }),
  );
});
