/** What the charts show, as tables for those who cannot see them; the drawing is the affair of HTML. */
import type { Formats } from './format.ts';
import type { Bucket, DailyReport } from './model.ts';
import type { Block, Cell, Table } from './page.ts';
import { left, right } from './table.ts';

const MINUTE_MS = 60_000;

export function chartBlocks(report: DailyReport, format: Formats): Block[] {
  // A page of empty axes says less than their absence.
  if (report.fleet.buckets.every(({ availableMs }) => availableMs === 0) && report.events === 0) return [];
  const { charts } = format.words;
  const spans = coarse(report);
  const part = partOf(report, format);
  const isPriced = report.measures.tokens.costUsd !== null;
  const blocks: Block[] = [
    {
      is: 'chart',
      chart: 'utilisation',
      ...charts.utilisation,
      part,
      table: utilisation(spans, report, format),
      line: line(spans, (span) => span.usedMs / lengthOf(span, report), report, format),
    },
    {
      is: 'chart',
      chart: 'throughput',
      ...charts.throughput,
      part,
      table: throughput(spans, report, format),
      line: line(spans, ({ merged }) => merged, report, format),
    },
  ];
  if (report.measures.tokens.total !== null || isPriced) {
    const names = isPriced ? charts.cost : charts.tokens;
    blocks.push({
      is: 'chart',
      chart: 'spending',
      ...names,
      part,
      table: spending(spans, report, format),
      line: line(spans, (span) => spentIn(span, isPriced), report, format),
    });
  }
  if (report.timeline.lanes.length > 0)
    blocks.push({
      is: 'chart',
      chart: 'timeline',
      ...charts.timeline,
      part,
      table: timeline(report, format),
      line: null,
    });
  if (report.trend.length > 1) blocks.push(trend(report, format));
  return blocks;
}

function line(
  spans: readonly Bucket[],
  figure: (span: Bucket) => number,
  report: DailyReport,
  format: Formats,
): Extract<Block, { is: 'chart' }>['line'] {
  const [first, last] = [spans[0], spans.at(-1)];
  const values = spans.map(figure);
  if (first === undefined || last === undefined || values.every((value) => value === 0)) return null;
  const most = Math.max(...values);
  const text = most < 0.01 ? '< 0.01' : most < 1000 ? format.decimal(most) : format.compact(most);
  return { from: startOf(first, report, format), to: startOf(last, report, format), values, most: text };
}

function spentIn({ spent }: Bucket, isPriced: boolean): number {
  return Object.values(spent).reduce((sum, { tokens, costUsd }) => sum + (isPriced ? costUsd : tokens), 0);
}

/** As much of it as has passed. */
export function lengthOf({ from, to }: Bucket, { until }: Pick<DailyReport, 'until'>): number {
  return Math.max(1, Math.min(to, until) - from);
}

/** Bars: by the hour for a day, by the day for a week, shorter ones for a part; what has not come yet is left out. */
export function coarse({ fleet, axis, until }: DailyReport): Bucket[] {
  const groups = new Map<number, Bucket[]>();
  for (const bucket of fleet.buckets) {
    if (bucket.from >= until) break;
    const index = Math.floor((bucket.from - axis.from) / axis.barMs);
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [bucket]);
    else group.push(bucket);
  }
  return [...groups.values()].map(summed);
}

function summed(group: readonly Bucket[]): Bucket {
  const sum = (figure: (bucket: Bucket) => number): number =>
    group.reduce((total, bucket) => total + figure(bucket), 0);
  const spent: Record<string, { tokens: number; costUsd: number }> = {};
  for (const [executor, { tokens, costUsd }] of group.flatMap((bucket) => Object.entries(bucket.spent))) {
    const before = spent[executor] ?? { tokens: 0, costUsd: 0 };
    spent[executor] = { tokens: before.tokens + tokens, costUsd: before.costUsd + costUsd };
  }
  return {
    from: Math.min(...group.map(({ from }) => from)),
    to: Math.max(...group.map(({ to }) => to)),
    usedMs: sum(({ usedMs }) => usedMs),
    availableMs: sum(({ availableMs }) => availableMs),
    merged: sum(({ merged }) => merged),
    bad: sum(({ bad }) => bad),
    spent,
  };
}

function utilisation(spans: readonly Bucket[], report: DailyReport, format: Formats): Table {
  const { words } = format;
  const heads = [
    first(report, format),
    ...[words.legend.used, words.legend.available, words.columns.utilisation].map(right),
  ];
  const rows = spans.map((span): Cell[] => {
    const length = lengthOf(span, report);
    return [
      { text: startOf(span, report, format) },
      { text: format.decimal(span.usedMs / length) },
      { text: format.decimal(span.availableMs / length) },
      { text: format.share(span.usedMs, span.availableMs) },
    ];
  });
  return { is: 'table', title: null, columns: heads, rows, more: 0 };
}

function throughput(spans: readonly Bucket[], report: DailyReport, format: Formats): Table {
  const { columns } = format.words;
  const heads = [first(report, format), right(columns.merged), right(columns.bad)];
  const rows = spans.map((span): Cell[] => [
    { text: startOf(span, report, format) },
    { text: format.count(span.merged) },
    { text: format.count(span.bad) },
  ]);
  return { is: 'table', title: null, columns: heads, rows, more: 0 };
}

function spending(spans: readonly Bucket[], report: DailyReport, format: Formats): Table {
  const isPriced = report.measures.tokens.costUsd !== null;
  const names = report.spending.map(({ executor }) => executor);
  const rows = spans.map((span): Cell[] => [
    { text: startOf(span, report, format) },
    ...names.map((name) => {
      const { tokens, costUsd } = span.spent[name] ?? { tokens: 0, costUsd: 0 };
      return { text: isPriced ? format.money(costUsd) : format.tokens(tokens) };
    }),
  ]);
  return { is: 'table', title: null, columns: [first(report, format), ...names.map(right)], rows, more: 0 };
}

/** Spans of a timeline in its table. */
const SPANS_LISTED = 60;

function timeline(report: DailyReport, format: Formats): Table {
  const { columns, legend } = format.words;
  const names = {
    good: legend.good,
    bad: legend.failed,
    lost: legend.lost,
    gate: legend.gate,
    red: legend.red,
    running: legend.running,
  };
  const rows = report.timeline.lanes.flatMap(({ node, slot, spans }) =>
    spans.map((span): Cell[] => [
      { text: `${node} ${slot}` },
      { text: `${clockOf(span.from, report, format)}–${clockOf(span.to, report, format)}` },
      { text: span.label, code: true },
      { text: names[span.kind] },
    ]),
  );
  const heads = [left(columns.slot), left(columns.span), left(columns.task), left(columns.cause)];
  const more = Math.max(0, rows.length - SPANS_LISTED);
  return { is: 'table', title: null, columns: heads, rows: rows.slice(0, SPANS_LISTED), more };
}

function trend({ trend: days }: DailyReport, format: Formats): Table {
  const { columns, charts, measures: names, notes } = format.words;
  const rows = days.map(({ date, measures }): Cell[] => [
    { text: date },
    { text: format.count(measures.merged) },
    { text: format.share(measures.usedMs, measures.availableMs) },
    { text: format.share(measures.firstRound.passed, measures.firstRound.of) },
    { text: measures.specToMerge === null ? '–' : format.span(measures.specToMerge.median) },
    { text: notes.minutes(measures.personMinutes) },
    { text: format.tokens(measures.tokens.total) },
    { text: format.money(measures.tokens.costUsd) },
  ]);
  const heads = [
    columns.merged,
    columns.utilisation,
    columns.firstRound,
    names.specToMerge,
    columns.minutes,
    columns.tokens,
    columns.cost,
  ];
  return {
    is: 'table',
    title: charts.trend.title,
    columns: [left(columns.day), ...heads.map(right)],
    rows,
    more: 0,
  };
}

function first({ period }: DailyReport, { words }: Formats): Table['columns'][number] {
  return left(period.kind === 'day' ? words.columns.hour : words.columns.day);
}

function startOf({ from }: Bucket, report: DailyReport, format: Formats): string {
  return report.period.kind === 'day' ? clockOf(from, report, format) : format.shortDay(from);
}

/** With seconds where the charts are about seconds. */
export function clockOf(at: number, { axis }: Pick<DailyReport, 'axis'>, format: Formats): string {
  return format.clock(at, axis.barMs < MINUTE_MS);
}

function partOf({ axis, period }: DailyReport, format: Formats): string | null {
  if (axis.isWhole) return null;
  const end = axis.to === period.to ? '24:00' : format.clock(axis.to, axis.markMs < MINUTE_MS);
  return `${format.clock(axis.from, axis.markMs < MINUTE_MS)}–${end}`;
}
