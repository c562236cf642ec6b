/** The evening's report on all projects of a home, made from its event log alone. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readDaily } from '../../controller/daily.ts';
import { budgetRules } from '../../controller/budget-rules.ts';
import { homePaths } from '../../controller/paths.ts';
import { timezoneOf } from '../../controller/timezone.ts';
import { PRICES_AS_OF } from '../../model/built-in-prices.ts';
import { DispatchError } from '../../model/error.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { dailyHtml } from '../../report/daily/html/page.ts';
import { dailyMarkdown } from '../../report/daily/markdown.ts';
import { dayOf, isDate, localDate, moved, type Period, weekOf } from '../../model/period.ts';
import { HOME_CONFIG, loadHomeConfig } from '../../spec/load.ts';
import type { Context } from '../context.ts';
import { chooseLanguage } from '../language.ts';
import { nodesOf } from '../nodes-file.ts';
import { safeText } from '../render/safe-text.ts';

export interface DailyReportOptions {
  readonly date?: string;
  readonly week?: boolean;
  readonly html?: string;
  readonly lang?: string;
}

export async function dailyReport(context: Context, options: DailyReportOptions): Promise<ExitCode> {
  const { output, settings, environment } = context;
  const home = context.home();
  const { config, problems } = await loadHomeConfig(home);
  const [problem] = problems;
  if (problem !== undefined) {
    const { code, message, line, col, fix } = problem;
    const where = `${HOME_CONFIG}:${line}:${col}`;
    throw new DispatchError(code, message, { where, ...(fix === undefined ? {} : { fix }) });
  }
  const { lang: flag } = options;
  const language = chooseLanguage(environment, {
    ...(flag === undefined ? {} : { flag }),
    file: config.report.lang,
  });
  const now = Date.now();
  const period = periodFor(options, timezoneOf(config.report), now);
  const prices = { asOf: PRICES_AS_OF, table: budgetRules(config).prices };
  const { openReader } = await import('../../store/sqlite/reader.ts');
  const reader = await openReader(homePaths(home).database);
  try {
    const report = await readDaily(reader, { period, nodes: await nodesOf(home), now, prices });
    if (options.html !== undefined) {
      await writeFile(resolve(environment.cwd, options.html), dailyHtml(report, language));
      output.note(`wrote ${options.html}`);
    }
    if (output.machine) output.envelope('DailyReport', report);
    else if (settings.file !== null) {
      await writeFile(settings.file, dailyMarkdown(report, language));
      output.note(`wrote ${settings.file}`);
    } else if (options.html === undefined) output.write(safeText(dailyMarkdown(report, language)));
    return EXIT.ok;
  } finally {
    await reader.close();
  }
}

/** @throws DispatchError E_USAGE for a date that there is not, or that has not begun. */
function periodFor({ date, week }: DailyReportOptions, timezone: string, now: number): Period {
  const today = dayOf(localDate(now, timezone), timezone);
  const day = namedDay(date ?? 'today', today, timezone);
  if (day.from > now)
    throw new DispatchError('E_USAGE', `${day.label} has not begun yet`, {
      where: '--date',
      why: `it is ${today.label} in ${timezone}`,
      fix: 'dispatch daily-report',
    });
  return week === true ? weekOf(day.label, timezone) : day;
}

function namedDay(text: string, today: Period, timezone: string): Period {
  if (text === 'today') return today;
  if (text === 'yesterday') return moved(today, -1);
  if (isDate(text)) return dayOf(text, timezone);
  throw new DispatchError('E_USAGE', `${JSON.stringify(text)} is not a date`, {
    where: '--date',
    fix: `dispatch daily-report --date ${today.label}   (or today, yesterday)`,
  });
}
