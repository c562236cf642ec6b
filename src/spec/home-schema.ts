/** The form of dispatch.yaml in a home: what is set for all of its projects. */
import { Cron } from 'croner';
import * as z from 'zod';
import { LANGUAGES } from '../model/language.ts';
import { isTimezone } from '../model/timezone.ts';
import { homeBudget, pricesSection } from './budget-schema.ts';
import { feedSection } from './feed-settings.ts';
import { line, refine } from './fields.ts';
import { serveSection } from './serve-settings.ts';
import { modelsSection } from './models-schema.ts';

/** Minute, hour, day of month, month, day of week. */
const cron = z.string().check(
  refine((text) => {
    const why = cronProblem(text);
    return why === null
      ? null
      : {
          code: 'E_SPEC_VALUE',
          message: `is not a time in cron syntax (minute hour day month weekday): ${why}`,
        };
  }),
);

const timezone = z.string().check(
  refine((text) =>
    isTimezone(text)
      ? null
      : {
          code: 'E_SPEC_VALUE',
          message: 'is not a time zone that this machine knows, such as Asia/Shanghai',
        },
  ),
);

export const homeSchema = z
  .strictObject({
    home: line.optional().describe('Setting of the command line: the home to work in.'),
    output: line.optional().describe('Setting of the command line: table, json, ndjson, name or wide.'),
    color: line.optional().describe('Setting of the command line: auto, always or never.'),
    progress: line.optional().describe('Setting of the command line: auto, plain or quiet.'),
    models: modelsSection.optional(),
    feed: feedSection.optional(),
    serve: serveSection.optional(),
    budget: homeBudget.optional(),
    prices: pricesSection.optional(),
    report: z
      .strictObject({
        at: cron
          .optional()
          .describe('When `dispatch serve` writes the daily report, in cron syntax: "0 19 * * *".'),
        lang: z.enum(LANGUAGES).optional().describe('Language of reports.'),
        timezone: timezone
          .optional()
          .describe('Where days begin and end: Asia/Shanghai; by default the zone of this machine.'),
      })
      .optional()
      .describe('The daily report.'),
  })
  .meta({ title: 'dispatch: dispatch.yaml of a home' });

/** null: it can be used. Nothing is scheduled by asking. */
function cronProblem(text: string): string | null {
  try {
    new Cron(text, { paused: true, mode: '5-part' }).stop();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^Cron(?:Pattern)?: /u, '') : String(error);
  }
}
