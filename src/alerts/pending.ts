/**
 * Who is still to be told what: derived from the alerts each time, so a crash, a failed call or a quiet night needs no
 * queue of its own. A sink is given all that waits for it as one message, however much that is.
 */
import type { AlertState } from '../model/alert.ts';
import type { QuietHours, SinkConfig } from '../spec/alert-settings.ts';
import { sinkCause } from './here.ts';

export interface Pending {
  readonly raised: readonly AlertState[];
  /** Over, and the sink had been told that they began. */
  readonly resolved: readonly AlertState[];
}

export function pendingFor(
  alerts: Iterable<AlertState>,
  sink: Pick<SinkConfig, 'name' | 'levels'>,
  isQuiet: boolean,
): Pending {
  const raised: AlertState[] = [];
  const resolved: AlertState[] = [];
  for (const alert of alerts) {
    const { level, key, told, acked } = alert;
    if (!sink.levels.includes(level) || key === sinkCause(sink.name)) continue;
    if (isQuiet && level !== 'P0') continue;
    const knows = told.includes(sink.name);
    if (alert.resolved === null) {
      if (!knows && !alert.quiet && acked === null) raised.push(alert);
    } else if (knows && !alert.resolved.told.includes(sink.name)) resolved.push(alert);
  }
  return { raised, resolved };
}

/** In these hours nobody is told what can wait. @param now wall clock, milliseconds. */
export function isQuietAt(quiet: QuietHours | null, now: number): boolean {
  if (quiet === null) return false;
  const { from, to, timezone } = quiet;
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const zone = timezone === null ? {} : { timeZone: timezone };
  const [hour = '0', minute = '0'] = new Intl.DateTimeFormat('en-GB', { ...options, ...zone })
    .format(now)
    .split(':');
  const at = Number(hour) * 60 + Number(minute);
  return from <= to ? at >= from && at < to : at >= from || at < to;
}
