/**
 * The report as a person reads it, without saying in what: sections of tables, lists and charts, every word chosen, every
 * figure formatted. Markdown and HTML are made from this, so they cannot say different things.
 */
import { sectionsOf } from './sections.ts';
import { Formats } from './format.ts';
import type { Language } from '../../model/language.ts';
import type { DailyReport } from './model.ts';
import { cards } from './cards.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'muted' | 'plain';

export interface Cell {
  readonly text: string;
  /** A command, a path, a commit. */
  readonly code?: true;
  readonly tone?: Tone;
  /** 0 to 1: shown as a bar beside the text. */
  readonly share?: number;
}

export interface Table {
  readonly is: 'table';
  readonly title: string | null;
  readonly columns: readonly { readonly label: string; readonly figure?: true }[];
  readonly rows: readonly (readonly Cell[])[];
  /** Rows that were left out. */
  readonly more: number;
}

export type Block =
  | Table
  | { readonly is: 'text'; readonly text: string; readonly tone?: Tone }
  | { readonly is: 'list'; readonly items: readonly string[] }
  | { readonly is: 'heading'; readonly text: string; readonly note: string | null }
  /** Command lines, each with what it is for. */
  | { readonly is: 'commands'; readonly items: readonly Typed[] }
  /** Parts of a whole. */
  | {
      readonly is: 'parts';
      readonly title: string;
      readonly parts: readonly {
        readonly label: string;
        readonly value: number;
        readonly text: string;
        readonly tone: Part;
      }[];
    }
  | {
      readonly is: 'chart';
      readonly chart: ChartName;
      readonly title: string;
      readonly about: string;
      /** The part of the period that it shows; null: all of it. */
      readonly part: string | null;
      readonly table: Table;
      /** The same in one line, one figure for each bar; null where that says nothing. */
      readonly line: {
        readonly from: string;
        readonly to: string;
        readonly values: readonly number[];
        readonly most: string;
      } | null;
    };

export interface Typed {
  readonly command: string;
  /** To be typed after it. */
  readonly next?: string;
  readonly purpose: string;
}

export type Part = 'merged' | 'you' | 'agents' | 'gates' | 'slots' | 'tasks' | 'out';
export type ChartName = 'utilisation' | 'throughput' | 'spending' | 'timeline';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  /** Half of the page's width is enough. */
  readonly narrow?: true;
}

/** A figure at a glance. */
export interface Card {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  /** Against the span before; null: there is nothing to compare with. */
  readonly change: { readonly text: string; readonly tone: Tone } | null;
  /** Single days, oldest first; null: not known. */
  readonly trend: readonly (number | null)[];
}

export interface Page {
  readonly title: string;
  readonly dates: string;
  readonly asOf: string | null;
  readonly lead: string;
  readonly cards: readonly Card[];
  readonly sections: readonly Section[];
  readonly footer: string;
  readonly format: Formats;
  readonly report: DailyReport;
}

export function pageOf(report: DailyReport, language: Language): Page {
  const format = new Formats(language, report.period.timezone);
  const { words } = format;
  const { period, until } = report;
  const { kind, from, to } = period;
  // Noon lies in the day, whatever its clocks do.
  const dates =
    kind === 'day'
      ? format.day(from + (to - from) / 2)
      : `${period.label} · ${format.shortDay(from)} – ${format.shortDay(to - 1)}`;
  const waiting = report.projects.reduce((sum, project) => sum + project.waiting.length, 0);
  return {
    title: words.title[kind],
    dates,
    asOf: until < to ? words.soFar(format.clock(until), kind) : null,
    lead: words.lead(report, waiting, format),
    cards: cards(report, format),
    sections: sectionsOf(report, format),
    footer: words.footer(format.count(report.events), period.timezone),
    format,
    report,
  };
}
