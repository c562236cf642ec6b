/** The four charts, as SVG that needs no script and takes its colours from the page. */
import { clockOf, coarse, lengthOf } from '../chart-tables.ts';
import type { Bucket, SpanKind } from '../model.ts';
import type { Block, Page } from '../page.ts';
import { type Markup, markup } from './markup.ts';
import { across, GUTTER, steps, timeAxis, WIDTH } from './scale.ts';
import { SERIES } from './style.ts';

type Chart = Extract<Block, { is: 'chart' }>;

interface Drawing {
  readonly height: number;
  readonly svg: Markup;
  readonly legend: readonly { readonly colour: string; readonly label: string }[];
}

/** Below the drawing, for the marks of time. */
const FOOT = 20;

export function chartFigure(chart: Chart, page: Page, table: Markup): Markup {
  const { height, svg, legend } = drawing(chart, page);
  const id = `chart-${chart.chart}`;
  const keys = legend.map(({ colour, label }) => markup`<span><i class="f-${colour}"></i>${label}</span>`);
  return markup`<figure>
<figcaption><b>${chart.title}</b>${chart.part === null ? null : markup`<span class="part">${chart.part}</span>`}<span class="keys">${keys}</span></figcaption>
<svg viewBox="0 -8 ${WIDTH} ${height + FOOT + 8}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${chart.title}</title><desc id="${id}-d">${chart.about}</desc>${svg}</svg>
<details><summary>${page.format.words.asTable}</summary>${table}</details>
</figure>
`;
}

function drawing({ chart }: Chart, page: Page): Drawing {
  switch (chart) {
    case 'utilisation':
      return utilisation(page);
    case 'throughput':
      return throughput(page);
    case 'spending':
      return spending(page);
    case 'timeline':
      return timeline(page);
  }
}

function utilisation(page: Page): Drawing {
  const height = 120;
  const { report, format } = page;
  const { used, available } = format.words.legend;
  const x = across(page);
  const seen = report.fleet.buckets.filter(({ from }) => from < report.until);
  const marks = steps(Math.max(1, ...seen.map((bucket) => bucket.availableMs / lengthOf(bucket, report))));
  const y = upwards(height, marks.at(-1) ?? 1);
  const line = (figure: (bucket: Bucket) => number): string =>
    seen
      .map(
        (bucket) =>
          `${n(x(bucket.from))},${n(y(figure(bucket)))} ${n(x(Math.min(bucket.to, report.until)))},${n(y(figure(bucket)))}`,
      )
      .join(' ');
  const busy = line((bucket) => bucket.usedMs / lengthOf(bucket, report));
  const roof = line((bucket) => bucket.availableMs / lengthOf(bucket, report));
  const end = x(Math.min(report.until, report.axis.to));
  return {
    height,
    svg: markup`${figures(marks, y, (mark) => format.decimal(mark))}${timeAxis(page, height)}<polygon class="area" points="${n(GUTTER)},${n(y(0))} ${busy} ${n(end)},${n(y(0))}"/><polyline class="roof" points="${roof}"/><polyline class="top" points="${busy}"/>`,
    legend: [
      { colour: 'used', label: used },
      { colour: 'tasks', label: available },
    ],
  };
}

function throughput(page: Page): Drawing {
  const height = 120;
  const { report, format } = page;
  const x = across(page);
  const spans = coarse(report);
  const up = steps(Math.max(1, ...spans.map(({ merged }) => merged)), 1);
  const most = up.at(-1) ?? 1;
  const least = Math.max(0, ...spans.map(({ bad }) => bad));
  const unit = height / (most + least);
  const zero = most * unit;
  const bars = spans.map((span) => {
    const [left, width] = barOf(span, report.until, x);
    const title = `${clockOf(span.from, report, format)} · ${format.words.legend.merged} ${span.merged} · ${format.words.legend.bad} ${span.bad}`;
    return markup`<g><title>${title}</title>${span.merged > 0 ? markup`<rect class="f-merged" x="${left}" y="${zero - span.merged * unit}" width="${width}" height="${span.merged * unit}" rx="1.5"/>` : null}${span.bad > 0 ? markup`<rect class="f-bad" x="${left}" y="${zero + 1}" width="${width}" height="${span.bad * unit}" rx="1.5"/>` : null}</g>`;
  });
  const y = (figure: number): number => zero - figure * unit;
  return {
    height,
    svg: markup`${figures(up, y, (mark) => format.decimal(mark))}${timeAxis(page, height)}${bars}`,
    legend: [
      { colour: 'merged', label: format.words.legend.merged },
      { colour: 'bad', label: format.words.legend.bad },
    ],
  };
}

function spending(page: Page): Drawing {
  const height = 100;
  const { report, format } = page;
  const x = across(page);
  const isPriced = report.measures.tokens.costUsd !== null;
  const names = report.spending.map(({ executor }) => executor);
  const spans = coarse(report);
  const figure = (span: Bucket, name: string): number => {
    const { tokens, costUsd } = span.spent[name] ?? { tokens: 0, costUsd: 0 };
    return isPriced ? costUsd : tokens;
  };
  const total = (span: Bucket): number => names.reduce((sum, name) => sum + figure(span, name), 0);
  const marks = steps(Math.max(0, ...spans.map(total)));
  const y = upwards(height, marks.at(-1) ?? 1);
  const write = (mark: number): string => (isPriced ? `$${format.decimal(mark)}` : format.compact(mark));
  const bars = spans.flatMap((span) => {
    const [left, width] = barOf(span, report.until, x);
    let below = 0;
    return names.map((name, index) => {
      const value = figure(span, name);
      if (value === 0) return markup``;
      below += value;
      return markup`<rect class="f-s${index % SERIES}" x="${left}" y="${y(below)}" width="${width}" height="${y(0) - y(value)}"><title>${`${clockOf(span.from, report, format)} · ${name} · ${isPriced ? format.money(value) : format.tokens(value)}`}</title></rect>`;
    });
  });
  return {
    height,
    svg: markup`${figures(marks, y, write)}${timeAxis(page, height)}${bars}`,
    legend: names.map((name, index) => ({ colour: `s${index % SERIES}`, label: name })),
  };
}

const LANE = 11;
const LANE_GAP = 8;
/** Wide enough for most names of nodes; longer ones are cut. */
const NAMES = 108;

function timeline(page: Page): Drawing {
  const { report, format } = page;
  const { legend, moreSlots } = format.words;
  const x = across(page, NAMES);
  const { lanes, more } = report.timeline;
  let y = 0;
  let node = '';
  const rows = lanes.map((lane) => {
    const isFirst = lane.node !== node;
    if (isFirst && node !== '') y += LANE_GAP;
    node = lane.node;
    const top = y;
    y += LANE;
    const spans = lane.spans.map(({ from, to, kind, label }) => {
      const width = Math.max(1.2, x(to) - x(from) - 0.6);
      const title = `${label} · ${clockOf(from, report, format)}–${clockOf(to, report, format)} · ${nameOf(kind, page)}`;
      return markup`<rect class="f-${kind}" x="${x(from)}" y="${top + 1}" width="${width}" height="${LANE - 2}" rx="1.5"><title>${title}</title></rect>`;
    });
    const name = lane.node.length > 18 ? `${lane.node.slice(0, 17)}…` : lane.node;
    return markup`${isFirst ? markup`<text class="lane" x="0" y="${top + 9}">${name}</text>` : null}${spans}`;
  });
  const rest = more > 0 ? markup`<text x="${NAMES}" y="${y + 12}">${moreSlots(more)}</text>` : null;
  const height = y + (more > 0 ? 18 : 2);
  const kinds: readonly SpanKind[] = ['good', 'bad', 'lost', 'gate', 'red', 'running'];
  const seen = new Set(lanes.flatMap(({ spans }) => spans.map(({ kind }) => kind)));
  return {
    height,
    svg: markup`${timeAxis(page, height, NAMES)}${rows}${rest}`,
    legend: kinds
      .filter((kind) => seen.has(kind))
      .map((kind) => ({ colour: kind, label: kind === 'bad' ? legend.failed : legend[kind] })),
  };
}

function nameOf(kind: SpanKind, { format }: Page): string {
  const { legend } = format.words;
  return kind === 'bad' ? legend.failed : legend[kind];
}

/** Lines across, with their figures. */
function figures(
  marks: readonly number[],
  y: (mark: number) => number,
  write: (mark: number) => string,
): Markup {
  return markup`${marks.map(
    (mark) =>
      markup`<line class="rule" x1="${GUTTER}" y1="${y(mark)}" x2="${WIDTH}" y2="${y(mark)}"/><text x="${GUTTER - 6}" y="${y(mark) + 3.5}" text-anchor="end">${write(mark)}</text>`,
  )}`;
}

function upwards(height: number, most: number): (figure: number) => number {
  return (figure) => height - (figure / most) * height;
}

const WIDEST = 64;

/** Left edge and width of the bar of a span. */
function barOf(
  { from, to: end }: Bucket,
  until: number,
  x: (at: number) => number,
): [left: number, width: number] {
  const to = Math.max(from, Math.min(end, until));
  const room = x(to) - x(from);
  const width = Math.max(1, Math.min(WIDEST, room - Math.min(6, room * 0.18)));
  return [x(from) + (room - width) / 2, width];
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
