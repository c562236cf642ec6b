/** The success measures at a glance, each with the span before and the single days. */
import { type Formats, HOUR_MS } from './format.ts';
import type { DailyReport, Measures } from './model.ts';
import type { Card, Tone } from './page.ts';

export function cards(report: DailyReport, format: Formats): Card[] {
  const { measures, period } = report;
  const { words } = format;
  const { notes } = words;
  const { firstRound, specToMerge, tokens } = measures;
  const merged = [
    ...(period.kind === 'week' ? [notes.perDay(format.decimal(measures.merged / measures.days))] : []),
    ...(measures.reverted > 0 ? [notes.reverted(measures.reverted)] : []),
  ];
  const isPriced = tokens.costUsd !== null;
  return [
    card(report, format, {
      label: words.measures.merged,
      value: format.count(measures.merged),
      note: merged.join(words.separator),
      of: (one) => one.merged,
      write: (change) => format.count(change),
      better: 'more',
    }),
    card(report, format, {
      label: words.measures.utilisation,
      value: format.share(measures.usedMs, measures.availableMs),
      note: slotTime(measures, format),
      of: (one) => percent(one.usedMs, one.availableMs),
      write: points,
      better: 'more',
    }),
    card(report, format, {
      label: words.measures.firstRound,
      value: format.share(firstRound.passed, firstRound.of),
      note: notes.passed(format.count(firstRound.passed), format.count(firstRound.of)),
      of: (one) => percent(one.firstRound.passed, one.firstRound.of),
      write: points,
      better: 'more',
    }),
    card(report, format, {
      label: words.measures.specToMerge,
      value: specToMerge === null ? words.unknown : format.span(specToMerge.median),
      note: specToMerge === null ? '' : notes.p90(format.span(specToMerge.p90)),
      of: (one) => one.specToMerge?.median ?? null,
      write: (change) => format.span(change),
      better: 'less',
    }),
    card(report, format, {
      label: words.measures.person,
      value: notes.minutes(measures.personMinutes),
      note: notes.acts(format.count(measures.acts)),
      of: (one) => one.personMinutes,
      write: (change) => notes.minutes(change),
      better: 'less',
    }),
    card(report, format, {
      label: words.measures.spent,
      value: isPriced ? format.money(tokens.costUsd) : format.tokens(tokens.total),
      note: spentNote(tokens, format),
      of: (one) => (isPriced ? one.tokens.costUsd : one.tokens.total),
      write: (change) => (isPriced ? format.money(change) : format.tokens(change)),
      better: 'neither',
    }),
  ];
}

/** A first run of a minute is not told in thousandths of an hour. */
function slotTime({ usedMs, availableMs }: Measures, format: Formats): string {
  const { notes } = format.words;
  return availableMs > 0 && availableMs < HOUR_MS
    ? notes.slotTime(format.span(usedMs), format.span(availableMs))
    : notes.slotHours(format.hours(usedMs), format.hours(availableMs));
}

function spentNote({ total, unknown, costUsd }: Measures['tokens'], format: Formats): string {
  const { notes } = format.words;
  if (total === null) return unknown === 0 ? '' : notes.untold(unknown);
  return costUsd !== null || unknown > 0 ? notes.tokens(format.tokens(total), unknown) : '';
}

interface Measure {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly of: (measures: Measures) => number | null;
  /** A difference without its sign. */
  readonly write: (change: number) => string;
  readonly better: 'more' | 'less' | 'neither';
}

function card(
  { measures, before, trend, period, until }: DailyReport,
  { words }: Formats,
  measure: Measure,
): Card {
  const { label, value, note, of, write, better } = measure;
  const [now, then] = [of(measures), before === null ? null : of(before)];
  const days = trend.map((day) => of(day.measures));
  if (now === null || then === null) return { label, value, note, change: null, trend: days };
  const difference = now - then;
  const isOver = until === period.to;
  const isSame = write(Math.abs(difference)) === write(0);
  const text = isSame
    ? words.notes.same(period.kind, isOver)
    : words.notes.before(`${difference > 0 ? '+' : '−'}${write(Math.abs(difference))}`, period.kind, isOver);
  return {
    label,
    value,
    note,
    change: { text, tone: isSame ? 'muted' : toneOf(difference, better) },
    trend: days,
  };
}

function toneOf(difference: number, better: Measure['better']): Tone {
  if (difference === 0 || better === 'neither') return 'muted';
  return difference > 0 === (better === 'more') ? 'good' : 'bad';
}

/** Percentage points. */
function points(change: number): string {
  return `${Math.round(change)} %`;
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}
