/** alerts.yaml of a home: its text to what it sets, or everything that is wrong with it. */
import type { AlertLevel } from '../model/alert.ts';
import type { Problem } from '../model/error.ts';
import { type AlertRules, type AlertSettings, BUILT_IN_ALERTS, BUILT_IN_RULES } from './alert-settings.ts';
import { type AlertsInput, alertsSchema } from './alerts-schema.ts';
import { checkForm } from './check-form.ts';
import { sizeOf } from './fields.ts';
import { milliseconds } from './parse-spec.ts';
import { parseSinks } from './parse-sinks.ts';
import { FILE_START } from './problem.ts';
import { readYaml } from './yaml-source.ts';

export interface ParsedAlerts {
  /** What is built in where the file has errors. */
  readonly settings: AlertSettings;
  readonly problems: readonly Problem[];
}

const MAX_BYTES = 1024 * 1024;

export function parseAlerts(text: string, file: string): ParsedAlerts {
  const settings = BUILT_IN_ALERTS;
  if (Buffer.byteLength(text) > MAX_BYTES) {
    const message = 'the file is larger than 1 MiB';
    return {
      settings,
      problems: [{ code: 'E_SPEC_TOO_LARGE', severity: 'error', file, ...FILE_START, message }],
    };
  }
  const read = readYaml(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, file);
  if ('problems' in read) return { settings, problems: read.problems };
  const source = read.source.value === null ? { ...read.source, value: {} } : read.source;
  const { value, problems } = checkForm(alertsSchema, source);
  if (value === null) return { settings, problems };
  const sinks = value.sinks === undefined ? null : parseSinks(value.sinks, source);
  if (sinks !== null && sinks.problems.length > 0) return { settings, problems: sinks.problems };
  const { quiet } = value;
  return {
    settings: {
      everyMs: milliseconds(value.every) ?? settings.everyMs,
      againMs: milliseconds(value.again) ?? settings.againMs,
      quiet:
        quiet === undefined
          ? null
          : { from: minutes(quiet.from), to: minutes(quiet.to), timezone: quiet.timezone ?? null },
      rules: rulesOf(value.rules ?? {}),
      sinks: sinks?.sinks ?? settings.sinks,
    },
    problems: [],
  };
}

/** `22:30` as minutes since midnight. */
function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

type RulesInput = NonNullable<AlertsInput['rules']>;

/** What is said lies over what is built in. */
function rulesOf(said: RulesInput): AlertRules {
  const built = BUILT_IN_RULES;
  const over = <Name extends keyof AlertRules>(
    name: Name,
    bounds: (given: NonNullable<RulesInput[Name]>) => object = () => ({}),
  ): AlertRules[Name] => {
    const given: { off?: boolean | undefined; level?: AlertLevel | undefined } | undefined = said[name];
    if (given === undefined) return built[name];
    if (given.off === true) return null as AlertRules[Name];
    const { level } = given;
    const changed = Object.entries(bounds(given as NonNullable<RulesInput[Name]>)).filter(
      ([, bound]) => bound !== undefined && bound !== null,
    );
    return { ...built[name], ...(level === undefined ? {} : { level }), ...Object.fromEntries(changed) };
  };
  const lasting = ({ after }: { after?: string | number | undefined }) => ({ afterMs: milliseconds(after) });
  return {
    'failure-rate': over('failure-rate', ({ over: most, window, least }) => ({
      over: most,
      windowMs: milliseconds(window),
      least,
    })),
    'no-progress': over('no-progress', lasting),
    heartbeat: over('heartbeat', lasting),
    'node-down': over('node-down', lasting),
    'node-lost': over('node-lost'),
    disk: over('disk', ({ under, least }) => ({ under, leastBytes: sizeOf(least) })),
    budget: over('budget', ({ over: most }) => ({ over: most })),
    utilisation: over('utilisation', ({ under, after }) => ({ under, afterMs: milliseconds(after) })),
    blocked: over('blocked', ({ over: most }) => ({ over: most })),
    wal: over('wal', ({ over: most }) => ({ overBytes: sizeOf(most) })),
    'event-loop': over('event-loop', ({ over: most }) => ({ overMs: milliseconds(most) })),
    'safe-mode': over('safe-mode'),
    backup: over('backup'),
    gate: over('gate'),
    contract: over('contract'),
    stalled: over('stalled'),
    ailment: over('ailment'),
    sink: over('sink'),
  };
}
