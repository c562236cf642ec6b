/** Writes the daily report at the hour that dispatch.yaml sets, as long as somebody keeps the home. */
import { Cron } from 'croner';
import { PRICES_AS_OF } from '../model/built-in-prices.ts';
import { DispatchError } from '../model/error.ts';
import type { Language } from '../model/language.ts';
import type { NodeConfig } from '../model/spec.ts';
import { dailyHtml } from '../report/daily/html/page.ts';
import { dailyMarkdown } from '../report/daily/markdown.ts';
import type { PriceTable } from '../model/price.ts';
import { reportsDue } from '../model/period.ts';
import type { ReportConfig } from '../spec/parse-home.ts';
import { openReader } from '../store/sqlite/reader.ts';
import { systemClock } from './clock.ts';
import { readDaily, writeDaily } from './daily.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';
import { timezoneOf } from './timezone.ts';

export interface ReportClockOptions {
  readonly home: string;
  /** nodes.json as it is in use. */
  readonly nodes: () => readonly NodeConfig[];
  /** From what dispatch.yaml says. */
  readonly language: (said: Language | null) => Language;
  readonly onNote: (note: Note) => void;
  /** A report that was written, to be sent to whoever wants it. */
  readonly send: (report: {
    readonly label: string;
    readonly markdown: string;
    readonly html: string;
  }) => void;
}

export class ReportClock {
  readonly #options: ReportClockOptions;
  #cron: Cron | null = null;

  constructor(options: ReportClockOptions) {
    this.#options = options;
  }

  /** Uses these settings from now on. A machine that sleeps through the hour writes when it wakes. */
  follow(config: ReportConfig, table: PriceTable): void {
    this.stop();
    if (config.at === null) return;
    const timezone = timezoneOf(config);
    // A report that takes long is not begun a second time meanwhile.
    const options = { timezone, mode: '5-part', protect: true, unref: true } as const;
    this.#cron = new Cron(config.at, options, () => this.#write(config, table));
    const next = this.#cron.nextRun();
    const message = next === null ? 'never: no such moment will come' : next.toISOString();
    this.#note('daily', `is written next at: ${message}`);
  }

  stop(): void {
    this.#cron?.stop();
    this.#cron = null;
  }

  async #write(config: ReportConfig, table: PriceTable): Promise<void> {
    const prices = { asOf: PRICES_AS_OF, table };
    const { home, nodes, language, onNote, send } = this.#options;
    const now = systemClock.wall();
    try {
      const reader = await openReader(homePaths(home).database);
      try {
        for (const period of reportsDue(now, timezoneOf(config))) {
          const report = await readDaily(reader, { period, nodes: nodes(), now, prices });
          const said = language(config.lang);
          const { markdown, html } = await writeDaily(home, report, said);
          this.#note(period.label, `wrote ${markdown} and ${html}`);
          send({ label: period.label, markdown: dailyMarkdown(report, said), html: dailyHtml(report, said) });
        }
      } finally {
        await reader.close();
      }
    } catch (error) {
      // The next hour is another try; the home is kept meanwhile.
      const { code, message } =
        error instanceof DispatchError
          ? error
          : { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) };
      onNote({ about: 'report', name: 'daily', code, message, fix: 'dispatch daily-report' });
    }
  }

  #note(name: string, message: string): void {
    this.#options.onNote({ about: 'report', name, code: null, message, fix: null });
  }
}
