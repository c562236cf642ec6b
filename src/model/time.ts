/** Time as data. Pure rooms take `now` as an argument; only the edge owns a Clock. All instants and spans are milliseconds. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. For people and records; it may jump. */
  wall(): number;
  /** Monotonic milliseconds since some fixed moment. For deadlines and back-off; on some systems it stands still in sleep. */
  mono(): number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** `30m`, `1h30m`, `45s`, `250ms`, or a number of seconds -> milliseconds; `null` when it is none of these, or not positive. */
export function parseDuration(text: string | number): number | null {
  if (typeof text === 'number') return Number.isFinite(text) && text > 0 ? Math.round(text * 1000) : null;
  if (!DURATION.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN);
  }
  return total > 0 && Number.isFinite(total) ? Math.round(total) : null;
}

/** Milliseconds -> the two largest units: `1h 30m`, `4m 05s`, `12s`, `0.4s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${(Math.max(0, ms) / 1000).toFixed(ms < 100 ? 2 : 1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d ${two(Math.floor((seconds % 86_400) / 3600))}h`;
}

/** Nobody is made to wait for longer than this by a moment of the wall clock, milliseconds. */
export const MOST_WAIT_MS = 10 * 60_000;

/**
 * Whether a moment that is waited for has come. One that is further off than anything is ever made to wait was set by a
 * clock that was set back since: it has come too, because otherwise it would be waited for until the clock is there again.
 */
export function hasCome(moment: number, now: number): boolean {
  return moment <= now || moment - now > MOST_WAIT_MS;
}
