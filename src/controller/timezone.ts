import type { ReportConfig } from '../spec/parse-home.ts';

/** The zone that is set, or that of this machine. */
export function timezoneOf({ timezone }: Pick<ReportConfig, 'timezone'>): string {
  return timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
