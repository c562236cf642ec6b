/** Where things lie in a chart. Lengths are units of the drawing, 1000 wide. */
import { type Markup, markup } from './markup.ts';
import type { Page } from '../page.ts';

export const WIDTH = 1000;
/** Left of the drawing, for the figures of the axis. */
export const GUTTER = 34;

/** Moment -> place from left to right. */
export function across({ report: { axis } }: Page, left = GUTTER): (at: number) => number {
  const length = Math.max(1, axis.to - axis.from);
  return (at) => left + ((at - axis.from) / length) * (WIDTH - left);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Marks of time below a chart: every three hours of a day, every day of a week, less where a part of a day is shown. */
export function timeAxis(page: Page, height: number, left = GUTTER): Markup {
  const { report, format } = page;
  const { period, axis } = report;
  const x = across(page, left);
  const isWeek = period.kind === 'week';
  const isWholeDay = axis.isWhole && !isWeek;
  const marks: Markup[] = [];
  for (let at = axis.from; at <= axis.to; at += isWholeDay ? HOUR_MS : axis.markMs) {
    const clock = format.clock(at, axis.markMs < MINUTE_MS);
    // Hours as the clock shows them: on the day it is set they are not three hours apart.
    if (isWholeDay && Number(clock.slice(0, 2)) % 3 !== 0) continue;
    const end = at === axis.to;
    if (isWeek && end) continue;
    const label = isWeek ? format.shortDay(at + DAY_MS / 2) : at === period.to ? '24:00' : clock;
    const anchor = isWeek ? 'start' : end ? 'end' : at === axis.from ? 'start' : 'middle';
    marks.push(
      markup`<line class="rule" x1="${x(at)}" y1="0" x2="${x(at)}" y2="${height}"/><text x="${x(at)}" y="${height + 14}" text-anchor="${anchor}">${label}</text>`,
    );
  }
  const now =
    report.until < axis.to
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
