/** The daily report of a home: read from its log, and put into its files. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Language } from '../model/language.ts';
import { DailyFold, type DailyOptions } from '../report/daily/fold.ts';
import { dailyHtml } from '../report/daily/html/page.ts';
import { dailyMarkdown } from '../report/daily/markdown.ts';
import type { DailyReport } from '../report/daily/model.ts';
import type { Reader } from '../store/port.ts';

/** Events at once: few enough that a controller answers between two pages. */
const PAGE = 1000;

/** Reads the log once; whoever else has work in this process gets a turn after each page. */
export async function readDaily(
  reader: Pick<Reader, 'events' | 'holder'>,
  { period, nodes, now, prices }: DailyOptions,
): Promise<DailyReport> {
  const alive = (await reader.holder()) !== null;
  const fold = new DailyFold({ period, nodes, now, ...(prices === undefined ? {} : { prices }) });
  for (let after = 0; ; ) {
    const page = await reader.events(after, PAGE);
    const isOver = page.some((event) => !fold.push(event));
    if (isOver || page.length < PAGE) return fold.finish(alive);
    after = page.at(-1)?.seq ?? after;
    await setImmediate();
  }
}

/** Paths relative to the home. */
export interface WrittenReport {
  readonly markdown: string;
  readonly html: string;
}

/** Writes `reports/2026-11-20.md` and `.html`; each is there whole, or as it was before. */
export async function writeDaily(
  home: string,
  report: DailyReport,
  language: Language,
): Promise<WrittenReport> {
  const { label } = report.period;
  const written = { markdown: `reports/${label}.md`, html: `reports/${label}.html` };
  await mkdir(join(home, 'reports'), { recursive: true });
  await replaceFile(join(home, written.markdown), dailyMarkdown(report, language));
  await replaceFile(join(home, written.html), dailyHtml(report, language));
  return written;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
