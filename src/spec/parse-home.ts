/**
 * dispatch.yaml of a home: its text to what it sets, or everything that is wrong with it. The same name is read from the
 * directory a command is typed in, for the few settings of the command line (`home`, `output`, `color`, `progress`); in a
 * home both are one file, so each reader lets the other's keys be.
 */
import type { Problem } from '../model/error.ts';
import type { Language } from '../model/language.ts';
import { type HomeBudget, homeBudgetOf } from './budget-schema.ts';
import { checkForm } from './check-form.ts';
import { feedProblems, type FeedSettings, NO_SCHEDULE } from './feed-settings.ts';
import { homeSchema } from './home-schema.ts';
import { type Models, modelsOf } from './parse-models.ts';
import { FILE_START } from './problem.ts';
import { DEFAULT_SERVE, serveOf, type ServeSettings } from './serve-settings.ts';
import { readYaml } from './yaml-source.ts';

export interface HomeConfig {
  readonly models: Models;
  readonly feed: FeedSettings;
  readonly serve: ServeSettings;
  readonly report: ReportConfig;
  readonly budget: HomeBudget;
}

/** null: not said. */
export interface ReportConfig {
  /** Cron syntax; null: the report is made only when it is asked for. */
  readonly at: string | null;
  readonly lang: Language | null;
  readonly timezone: string | null;
}

export interface ParsedHome {
  /** What the file sets; nothing where it has errors. */
  readonly config: HomeConfig;
  readonly problems: readonly Problem[];
}

const MAX_BYTES = 1024 * 1024;
const NOTHING: HomeConfig = {
  models: {},
  feed: NO_SCHEDULE,
  serve: DEFAULT_SERVE,
  report: { at: null, lang: null, timezone: null },
  budget: homeBudgetOf(),
};

/** What is wrong with one model or with the schedule leaves the others usable. */
export function parseHome(text: string, file: string): ParsedHome {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    const message = 'the file is larger than 1 MiB';
    const { line, col } = FILE_START;
    return {
      config: NOTHING,
      problems: [{ code: 'E_SPEC_TOO_LARGE', severity: 'error', file, line, col, message }],
    };
  }
  const read = readYaml(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file);
  if ('problems' in read) return { config: NOTHING, problems: read.problems };
  const source = read.source.value === null ? { ...read.source, value: {} } : read.source;
  const { value, problems } = checkForm(homeSchema, source);
  if (value === null) return { config: NOTHING, problems };
  const { models, problems: wrong } = modelsOf(value.models ?? {}, source);
  const feed = { at: value.feed?.at ?? null, timezone: value.feed?.timezone ?? null };
  const { at = null, lang = null, timezone = null } = value.report ?? {};
  return {
    config: {
      models,
      feed,
      serve: serveOf(value.serve),
      report: { at, lang, timezone },
      budget: homeBudgetOf(value.budget, value.prices),
    },
    problems: [...wrong, ...feedProblems(feed, source)],
  };
}
