import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dayOf,
  daysUpTo,
  isDate,
  localDate,
  moved,
  reportsDue,
  weekOf,
} from '../../../src/report/daily/period.ts';

const HOUR = 3_600_000;
const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'America/New_York',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Asia/Beirut',
];

describe('a day', () => {
  test.each([
    ['has 24 hours', '2026-11-20', 'Asia/Shanghai', '2026-11-19T16:00:00.000Z', 24],
    ['has 23 hours when clocks go forward', '2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z', 23],
    ['has 25 hours when clocks go back', '2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z', 25],
    [
      'begins at one where midnight is left out',
      '2018-11-04',
      'America/Sao_Paulo',
      '2018-11-04T03:00:00.000Z',
      23,
    ],
    ['has no hours where the date is left out', '2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 0],
  ])('%s', (_, date, zone, from, hours) => {
    const day = dayOf(date, zone);
    expect([new Date(day.from).toISOString(), (day.to - day.from) / HOUR]).toEqual([from, hours]);
  });

  test('ends where the next one begins, whatever a zone does, and holds what carries its date', () => {
    const instant = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2030, 0, 1) });
    fc.assert(
      fc.property(instant, fc.constantFrom(...ZONES), (at, zone) => {
        const day = dayOf(localDate(at, zone), zone);
        expect(moved(day, 1).from).toBe(day.to);
        expect(moved(day, -1).to).toBe(day.from);
        expect(day.from <= at && at < day.to).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each(['2026-02-30', '2026-2-3', 'today', '', '2026-13-01', '0000-01-01'])('is not %j', (text) => {
    expect(isDate(text)).toBe(false);
  });
});

describe('a week', () => {
  test.each([
    ['2026-11-20', '2026-W47', '2026-11-16', '2026-11-22'],
    ['2026-01-01', '2026-W01', '2025-12-29', '2026-01-04'],
    ['2027-01-01', '2026-W53', '2026-12-28', '2027-01-03'],
    ['2024-12-30', '2025-W01', '2024-12-30', '2025-01-05'],
  ])('of %s is %s', (date, label, first, last) => {
    expect(weekOf(date, 'UTC')).toMatchObject({ label, dates: { first, last } });
  });

  test('has an hour more when clocks go back in it, and seven days', () => {
    const week = weekOf('2026-11-01', 'America/New_York');
    expect((week.to - week.from) / HOUR).toBe(7 * 24 + 1);
    const days = daysUpTo(week, 7);
    expect([days[0]?.from, days[6]?.to]).toEqual([week.from, week.to]);
    expect(moved(week, 1).from).toBe(week.to);
  });
});

describe('what is reported at a moment', () => {
  test.each([
    [
      'in the evening: today so far, and yesterday, now whole',
      '2026-11-20T19:00',
      ['2026-11-19', '2026-11-20'],
    ],
    ['in the morning: yesterday', '2026-11-20T07:00', ['2026-11-19']],
    ['at midnight: the day that has just ended', '2026-11-20T00:00', ['2026-11-19']],
    [
      'on a Sunday evening: the week so far too',
      '2026-11-22T19:00',
      ['2026-11-21', '2026-11-22', '2026-W47'],
    ],
    [
      'on a Monday evening: the last week, now whole',
      '2026-11-23T19:00',
      ['2026-11-22', '2026-W47', '2026-11-23'],
    ],
    ['on a Monday morning: Sunday and its week', '2026-11-23T08:00', ['2026-11-22', '2026-W47']],
  ])('%s', (_, moment, labels) => {
    const due = reportsDue(Date.parse(`${moment}:00+08:00`), 'Asia/Shanghai');
    expect(due.map(({ label }) => label)).toEqual(labels);
  });
});
