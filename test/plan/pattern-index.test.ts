import fc from '../property.ts';
import { expect, test } from 'vitest';
import { overlap } from '../../src/plan/overlap.ts';
import { PatternIndex } from '../../src/plan/pattern-index.ts';
import { glob } from './globs.ts';

const patterns = fc.array(glob, { minLength: 1, maxLength: 3 });

function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.some((other) => overlap(one, other) !== null));
}

test('it finds exactly the keys whose patterns overlap, after any adding and removing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(12), patterns, fc.boolean()), { maxLength: 25 }),
      patterns,
      (steps, asked) => {
        const index = new PatternIndex<number>();
        const held = new Map<number, string[]>();
        for (const [key, list, remove] of steps) {
          if (remove) {
            index.remove(key);
            held.delete(key);
          } else {
            index.add(key, list);
            held.set(key, [...(held.get(key) ?? []), ...list]);
          }
        }
        const expected = [...held].filter(([, list]) => meet(list, asked)).map(([key]) => key);
        const found = index.allMeeting(asked);
        expect(new Set(found.map(({ key }) => key))).toEqual(new Set(expected));
        expect(found).toHaveLength(expected.length);
        expect(index.size).toBe(held.size);
        const one = index.meeting(asked);
        expect(one === null).toBe(expected.length === 0);
        if (one !== null) expect(expected).toContain(one.key);
        const [except] = expected;
        if (except !== undefined)
          expect(index.allMeeting(asked, except).map(({ key }) => key)).not.toContain(except);
      },
    ),
    { numRuns: 500 },
  );
});

test('the meeting names a path that both can touch, as it is written', () => {
  const index = new PatternIndex<string>();
  index.add('S07', ['src/A.ts', 'docs/']);
  expect(index.meeting(['src/*.ts'])).toEqual({ key: 'S07', path: 'src/A.ts' });
  expect(index.meeting(['src/a.ts'])).toEqual({ key: 'S07', path: 'src/a.ts' });
  expect(index.meeting(['src/*.ts'], 'S07')).toBeNull();
});

test('an index that was emptied holds nothing', () => {
  const index = new PatternIndex<number>();
  for (let key = 0; key < 50; key++) index.add(key, [`a/b${key}/**`, 'c/*.ts', 'd']);
  for (let key = 0; key < 50; key++) index.remove(key);
  expect(index.size).toBe(0);
  expect(index.allMeeting(['**'])).toEqual([]);
});
