/**
 * Days and weeks as people in a time zone have them. A day begins at the first instant that carries its date there, so a
 * day in which clocks are set has 23 or 25 hours, one whose midnight does not exist begins at one o'clock, and days follow
 * each other without a gap or an overlap, whatever a zone does. Pure: the zone's rules are data that come with Node.
 */
import { LocalTime } from './local-time.ts';

/** `from` is part of it, `to` is not; wall clock, milliseconds. */
export interface Period {
  readonly kind: 'day' | 'week';
  /** `2026-11-20`, `2026-W47`. */
  readonly label: string;
  /** First and last date; the same for a day. */
  readonly dates: { readonly first: string; readonly last: string };
  readonly from: number;
  readonly to: number;
  /** IANA name: `Asia/Shanghai`. */
  readonly timezone: string;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAY_MS = 86_400_000;
/** No zone is further from UTC, with room for the clocks being set. */
const FARTHEST_MS = 16 * 3_600_000;

/** True for a date that exists, written `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  return Number(match[1]) >= 1970 && dateAt(utcOf(text)) === text;
}

/** @param date `YYYY-MM-DD`, as isDate takes it. */
export function dayOf(date: string, timezone: string): Period {
  const clock = new LocalTime(timezone);
  const [from, to] = [startOf(date, clock), startOf(later(date, 1), clock)];
  return { kind: 'day', label: date, dates: { first: date, last: date }, from, to, timezone };
}

/** The day that holds the instant. */
export function dayWith(at: number, timezone: string): Period {
  const known = lately.find((day) => day.timezone === timezone && at >= day.from && at < day.to);
  if (known !== undefined) return known;
  const day = dayOf(localDate(at, timezone), timezone);
  if (lately.length >= MOST_DAYS) lately.shift();
  lately.push(day);
  return day;
}

/** Where a day begins and ends takes dozens of looks at a calendar, and few days are asked for again and again. */
const lately: Period[] = [];
const MOST_DAYS = 8;

/** The week that holds the date, Monday to Sunday, with its ISO 8601 number. */
export function weekOf(date: string, timezone: string): Period {
  const monday = later(date, -weekday(date));
  const clock = new LocalTime(timezone);
  const [from, to] = [startOf(monday, clock), startOf(later(monday, 7), clock)];
  const dates = { first: monday, last: later(monday, 6) };
  return { kind: 'week', label: weekLabel(monday), dates, from, to, timezone };
}

/** The date of an instant in the zone. */
export function localDate(at: number, timezone: string): string {
  return new LocalTime(timezone).date(at);
}

/** The day, or the week, that lies `by` of them later; earlier when negative. */
export function moved(period: Period, by: number): Period {
  const { kind, dates, timezone } = period;
  return kind === 'day'
    ? dayOf(later(dates.first, by), timezone)
    : weekOf(later(dates.first, 7 * by), timezone);
}

/** The last `count` days up to the last one of the period, oldest first. */
export function daysUpTo(period: Period, count: number): Period[] {
  const { dates, timezone } = period;
  return Array.from({ length: count }, (_, index) => dayOf(later(dates.last, index - count + 1), timezone));
}

/**
 * What a report that is made now is about: the day that is ending, or ended last, where noon is the border: at 19:00 it is
 * today so far, at 7:00 yesterday. A day that was not over when it was reported is reported again with the next one, and
 * after each Sunday its week. Oldest first.
 */
export function reportsDue(now: number, timezone: string): Period[] {
  const day = dayOf(localDate(now - DAY_MS / 2, timezone), timezone);
  const days = now < day.to ? [moved(day, -1), day] : [day];
  return days.flatMap((one) => (weekday(one.label) === 6 ? [one, weekOf(one.label, timezone)] : [one]));
}

/** Monday is 0. */
function weekday(date: string): number {
  return (new Date(utcOf(date)).getUTCDay() + 6) % 7;
}

/** A week belongs to the year of its Thursday. */
function weekLabel(monday: string): string {
  const year = later(monday, 3).slice(0, 4);
  const firstThursday = later(`${year}-01-04`, 3 - weekday(`${year}-01-04`));
  const number = 1 + Math.round((utcOf(later(monday, 3)) - utcOf(firstThursday)) / (7 * DAY_MS));
  return `${year}-W${String(number).padStart(2, '0')}`;
}

function later(date: string, days: number): string {
  return dateAt(utcOf(date) + days * DAY_MS);
}

function utcOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

function dateAt(utc: number): string {
  return Number.isNaN(utc) ? '' : new Date(utc).toISOString().slice(0, 10);
}

/** The first instant that carries this date, or a later one where the zone left the date out. */
function startOf(date: string, clock: LocalTime): number {
  let before = (utcOf(date) - FARTHEST_MS) / 1000;
  let after = (utcOf(date) + FARTHEST_MS) / 1000;
  // Clocks are set at whole seconds.
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (clock.date(middle * 1000) < date) before = middle;
    else after = middle;
  }
  return after * 1000;
}
