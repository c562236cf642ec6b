/** Every word of the daily report, in each language. Texts of agents, gates and git stay as they are. */
import type { Step } from '../../../model/attempt.ts';
import type { Advice, Figures } from '../../advice.ts';
import type { DeliveryReport, Refusal, WaitingForPerson } from '../../model.ts';
import type { Formats } from '../format.ts';
import type { Act, Cause, DailyReport, NextStep, PersonTime, SpecKind, Standing } from '../model.ts';

export interface Messages {
  readonly locale: string;
  /** Largest first. */
  readonly units: readonly { readonly of: number; readonly name: string }[];
  /** Months count from 1, days of the week from Sunday, which is 0. */
  readonly calendar: {
    readonly full: (year: number, month: number, day: number, weekday: number) => string;
    readonly date: (month: number, day: number) => string;
    readonly short: (month: number, day: number, weekday: number) => string;
  };
  readonly title: Readonly<Record<'day' | 'week', string>>;
  /** `until 19:02, the day is not over`. */
  readonly soFar: (clock: string, kind: 'day' | 'week') => string;
  readonly lead: (report: DailyReport, waiting: number, format: Formats) => string;
  readonly nothing: string;
  readonly unknown: string;
  readonly more: (count: number) => string;
  readonly asTable: string;
  readonly separator: string;

  readonly alertIs: Readonly<Record<'open' | 'over', string>>;
  readonly sections: Readonly<
    Record<
      | 'tomorrow'
      | 'day'
      | 'week'
      | 'projects'
      | 'failures'
      | 'gates'
      | 'fleet'
      | 'spending'
      | 'specs'
      | 'capacity'
      | 'notes'
      | 'alerts',
      string
    >
  >;
  readonly measures: Readonly<
    Record<'merged' | 'utilisation' | 'firstRound' | 'specToMerge' | 'person' | 'spent', string>
  >;
  readonly notes: {
    readonly perDay: (rate: string) => string;
    readonly reverted: (count: number) => string;
    readonly slotHours: (used: string, available: string) => string;
    /** The same of less than an hour, in spans. */
    readonly slotTime: (used: string, available: string) => string;
    readonly passed: (passed: string, of: string) => string;
    readonly p90: (span: string) => string;
    readonly acts: (count: string) => string;
    readonly tokens: (total: string, unknown: number) => string;
    /** Attempts that did not say what they used. */
    readonly untold: (count: number) => string;
    /** @param isOver otherwise it is held against the same part of the span before. */
    readonly before: (change: string, kind: 'day' | 'week', isOver: boolean) => string;
    readonly same: (kind: 'day' | 'week', isOver: boolean) => string;
    readonly minutes: (count: number) => string;
  };

  readonly columns: Readonly<
    Record<
      | 'level'
      | 'about'
      | 'alert'
      | 'task'
      | 'title'
      | 'took'
      | 'attempts'
      | 'rounds'
      | 'commit'
      | 'at'
      | 'by'
      | 'finding'
      | 'against'
      | 'paths'
      | 'times'
      | 'cause'
      | 'count'
      | 'tasks'
      | 'verify'
      | 'project'
      | 'runs'
      | 'red'
      | 'broken'
      | 'median'
      | 'longest'
      | 'flakes'
      | 'rate'
      | 'tests'
      | 'node'
      | 'slots'
      | 'used'
      | 'usedHours'
      | 'available'
      | 'availableHours'
      | 'utilisation'
      | 'peak'
      | 'outages'
      | 'away'
      | 'executor'
      | 'merged'
      | 'input'
      | 'output'
      | 'cached'
      | 'cost'
      | 'computedCost'
      | 'reportedCost'
      | 'perTask'
      | 'time'
      | 'kind'
      | 'passed'
      | 'reason'
      | 'state'
      | 'hour'
      | 'bad'
      | 'tokens'
      | 'day'
      | 'firstRound'
      | 'minutes'
      | 'span'
      | 'slot',
      string
    >
  >;

  readonly project: {
    readonly merged: (count: number) => string;
    readonly refused: (count: number) => string;
    readonly conflicts: (count: number) => string;
    readonly reverted: string;
    readonly waiting: (count: number) => string;
    readonly quiet: (names: string) => string;
    readonly delivered: (count: number, target: string) => string;
    readonly delivery: (delivery: DeliveryReport, target: string, format: Formats) => string;
  };
  readonly standing: Readonly<Record<Exclude<keyof Standing, 'total'>, string>>;
  readonly refusedBy: Readonly<Record<Refusal['by'], string>>;
  readonly what: Readonly<Record<WaitingForPerson['what'], string>>;
  readonly cause: (cause: Cause) => string;
  readonly retries: (attempts: number, tasks: number, rounds: number) => string;
  readonly flaky: string;
  readonly slowest: string;
  readonly stepsTitle: string;
  readonly step: Readonly<Record<Step, string>>;
  readonly blind: (asleep: string | null, absent: string | null, restarts: number) => string | null;
  readonly onboarded: (node: string, took: string | null) => string;
  readonly unlisted: string;
  readonly kind: (kind: SpecKind) => string;
  readonly advice: (advice: Advice, figures: Figures) => string;
  readonly noAdvice: (figures: Figures) => string;
  readonly next: (step: NextStep) => string;
  readonly act: Readonly<Record<Act, string>>;
  readonly estimate: (person: PersonTime) => string;
  readonly availability: string;
  readonly unknownTokens: (count: number, isComputed: boolean) => string;
  readonly computedCosts: (asOf: string) => string;
  readonly footer: (events: string, zone: string) => string;

  readonly charts: Readonly<
    Record<
      'utilisation' | 'throughput' | 'cost' | 'tokens' | 'timeline' | 'trend',
      { readonly title: string; readonly about: string }
    >
  >;
  readonly legend: Readonly<
    Record<
      'used' | 'available' | 'merged' | 'bad' | 'good' | 'failed' | 'lost' | 'gate' | 'red' | 'running',
      string
    >
  >;
  readonly moreSlots: (count: number) => string;
}
