import { expect, test } from 'vitest';
import { NotedSet } from '../../src/model/noted-set.ts';

test('additions since a count are told, those of members that were there as well', () => {
  const set = new NotedSet<number>();
  set.add(1).add(2);
  const seen = set.additions;
  expect(set.addedAfter(seen)).toEqual([]);
  set.delete(1);
  set.add(2).add(1);
  expect(set.addedAfter(seen)).toEqual([2, 1]);
  expect(set.addedAfter(0)).toEqual([1, 2, 2, 1]);
  expect([...set]).toEqual([2, 1]);
});

test('what was added too long ago is not told at all, rather than in part', () => {
  const set = new NotedSet<number>();
  for (let n = 0; n < 10_000; n += 1) set.add(n);
  expect(set.addedAfter(0)).toBeNull();
  expect(set.addedAfter(9_990)).toEqual([9990, 9991, 9992, 9993, 9994, 9995, 9996, 9997, 9998, 9999]);
  expect(set.additions).toBe(10_000);
  expect(set.size).toBe(10_000);
});
