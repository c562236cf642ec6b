/** The section `feed` of dispatch.yaml: when `dispatch serve` moves good specs from pending/ to the queue. */
import { Cron } from 'croner';
import * as z from 'zod';
import type { Problem } from '../model/error.ts';
import { isTimezone } from '../model/timezone.ts';
import { line } from './fields.ts';
import { shown } from './problem.ts';
import type { Source } from './source.ts';

export const feedSection = z
  .strictObject({
    at: line
      .optional()
      .describe('Cron syntax, `"0 9 * * 1-5"`; without it specs are taken as soon as they are saved.'),
    timezone: line.optional().describe('Of `at`, Asia/Shanghai; that of this machine by default.'),
  })
  .describe('When `dispatch serve` feeds: `{ at: "0 9 * * 1-5" }`.');

export interface FeedSettings {
  /** Cron syntax; null: as soon as specs are saved. */
  readonly at: string | null;
  /** IANA name; null: that of this machine. */
  readonly timezone: string | null;
}

export const NO_SCHEDULE: FeedSettings = { at: null, timezone: null };

/** What is wrong with the schedule. */
export function feedProblems({ at, timezone }: FeedSettings, source: Source): Problem[] {
  const problem = (key: string, message: string, fix: string): Problem => {
    const place = source.at(['feed', key]);
    return { code: 'E_SPEC_VALUE', severity: 'error', file: source.file, ...place, message, fix };
  };
  if (timezone !== null && !isTimezone(timezone))
    return [problem('timezone', `${shown(timezone)} is not a time zone`, 'an IANA name: Asia/Shanghai')];
  if (at === null) return [];
  try {
    // Paused: nothing is scheduled, it is only read.
    new Cron(at, { paused: true });
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return [
      problem('at', `${shown(at)} is not a schedule: ${why}`, 'minute hour day month weekday: "0 9 * * 1-5"'),
    ];
  }
}
