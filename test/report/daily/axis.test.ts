import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisOf } from '../../../src/report/daily/axis.ts';
import { Buckets } from '../../../src/report/daily/buckets.ts';
import { dayOf, weekOf } from '../../../src/model/period.ts';
import type { NodeName } from '../../../src/model/ids.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = dayOf('2026-11-20', 'Asia/Shanghai');

/** The axis of what happened from one moment of the day to another, with moments of the day for instants. */
function fitted(from: number, to: number): { from: number; to: number; markMs: number } {
  const axis = axisOf(DAY, { from: DAY.from + from, to: DAY.from + to });
  return { from: axis.from - DAY.from, to: axis.to - DAY.from, markMs: axis.markMs };
}

describe('the axis of a day', () => {
  test('fits what happened, from one round figure of the clock to another', () => {
    const afternoon = 13 * HOUR + 38 * MINUTE;
    expect(fitted(afternoon + 22_400, afternoon + 31_600)).toEqual({
      from: afternoon + 22 * SECOND,
      to: afternoon + 32 * SECOND,
      markMs: 2 * SECOND,
    });
    expect(fitted(9 * HOUR + 7 * MINUTE, 12 * HOUR + 50 * MINUTE)).toEqual({
      from: 9 * HOUR,
      to: 13 * HOUR,
      markMs: 30 * MINUTE,
    });
  });

  test('is the whole day when nothing happened, and when what happened takes half of it', () => {
    const whole = { from: DAY.from, to: DAY.to, isWhole: true };
    expect(axisOf(DAY, null)).toMatchObject(whole);
    expect(axisOf(DAY, { from: DAY.from + 8 * HOUR, to: DAY.from + 20 * HOUR })).toMatchObject(whole);
  });

  test('has a length where all happened at one moment, and ends with the day', () => {
    expect(fitted(HOUR, HOUR)).toEqual({ from: HOUR, to: HOUR + SECOND, markMs: SECOND });
    expect(fitted(23 * HOUR, 24 * HOUR - 1).to).toBe(24 * HOUR);
  });

  test('is that of the week in a week', () => {
    const week = weekOf('2026-11-20', 'Asia/Shanghai');
    expect(axisOf(week, { from: DAY.from, to: DAY.from + HOUR })).toMatchObject({
      from: week.from,
      to: week.to,
      isWhole: true,
    });
  });
});

test('buckets hold all that they were told, whatever came first, and bars are made of whole ones', () => {
  const moment = fc.integer({ min: 0, max: 24 * HOUR - 1 });
  const near = fc.integer({ min: 0, max: 10 * MINUTE });
  const span = fc
    .tuple(fc.oneof(moment, near), fc.oneof(moment, near))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 12 }), (spans) => {
      const buckets = new Buckets(DAY);
      for (const [from = 0, to = 0] of spans) {
        const piece = { node: 'n' as NodeName, from: DAY.from + from, to: DAY.from + to };
        buckets.spend({ ...piece, used: 1, available: 2, away: false });
        buckets.merged(piece.from);
      }
      const axis = axisOf(DAY, buckets.happened);
      const list = buckets.list(axis);
      const sum = (of: 'usedMs' | 'availableMs' | 'merged'): number =>
        list.reduce((total, bucket) => total + bucket[of], 0);
      const told = spans.reduce((total, [from = 0, to = 0]) => total + to - from, 0);
      expect([sum('usedMs'), sum('availableMs'), sum('merged')]).toEqual([told, 2 * told, spans.length]);
      expect(list.every(({ from }, index) => from === axis.from + index * buckets.ms)).toBe(true);
      expect(axis.barMs % buckets.ms).toBe(0);
      expect(axis.markMs % axis.barMs).toBe(0);
    }),
  );
});
