/** Where things lie in a chart. Lengths are units of the drawing, 1000 wide. */
import { type Markup, markup } from './markup.ts';
import type { Page } from '../page.ts';

export const WIDTH = 1000;
/** Left of the drawing, for the figures of the axis. */
export const GUTTER = 34;

/** Moment -> place from left to right. */
export function across({ report: { period } }: Page, left = GUTTER): (at: number) => number {
  const length = Math.max(1, period.to - period.from);
  return (at) => left + ((at - period.from) / length) * (WIDTH - left);
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Marks of time below a chart: every three hours of a day, every day of a week. */
export function timeAxis(page: Page, height: number, left = GUTTER): Markup {
  const { report, format } = page;
  const { period } = report;
  const x = across(page, left);
  const step = period.kind === 'day' ? HOUR_MS : DAY_MS;
  const marks: Markup[] = [];
  for (let at = period.from; at <= period.to; at += step) {
    const clock = format.clock(Math.min(at, period.to));
    // Hours as the clock shows them: on the day it is set they are not three hours apart.
    if (period.kind === 'day' && Number(clock.slice(0, 2)) % 3 !== 0) continue;
    if (period.kind === 'week' && at === period.to) continue;
    const end = at === period.to;
    const label = period.kind === 'week' ? format.shortDay(at + DAY_MS / 2) : end ? '24:00' : clock;
    const anchor = period.kind === 'week' ? 'start' : end ? 'end' : at === period.from ? 'start' : 'middle';
    marks.push(
      markup`<line class="rule" x1="${x(at)}" y1="0" x2="${x(at)}" y2="${height}"/><text x="${x(at)}" y="${height + 14}" text-anchor="${anchor}">${label}</text>`,
    );
  }
  const now =
    report.until < period.to
      ? markup`<line class="now" x1="${x(report.until)}" y1="0" x2="${x(report.until)}" y2="${height}"/>`
      : null;
  return markup`${marks}${now}`;
}

/**
 * A round figure at or above the largest, and the steps up to it.
 * @param least no step is smaller; 1 where only whole things are counted.
 */
export function steps(largest: number, least = 0): number[] {
  if (largest <= 0) return [0, 1];
  const rough = largest / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const step = Math.max(least, round);
  return Array.from({ length: Math.ceil(largest / step - 1e-9) + 1 }, (_, index) => index * step);
}
