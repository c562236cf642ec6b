/**
 * What a look at the rules found, against what is known: which alerts begin, begin again, and are over. One alert per
 * cause and span (a day): what comes back within it is recorded as quiet, so that it is listed and nobody is told; what
 * lasts longer and nobody has acknowledged is told again. Something that got worse is told at once, and that once in the
 * span too: one that gets better and worse by turns is one alert.
 */
import type { AlertState, Cause } from '../model/alert.ts';
import type { Reply } from './commands.ts';
import type { Command, Input } from './door.ts';
import type { Turn } from './turn.ts';

export function judgeAlerts(turn: Turn, input: Extract<Input, { is: 'alerts.judged' }>): void {
  const { found, undecided, againMs } = input;
  const { alerts } = turn.state;
  const now = new Set(found.map(({ key }) => key));
  for (const { key, resolved } of alerts.values())
    if (resolved === null && !now.has(key) && !undecided.has(key))
      turn.record({ type: 'alert.resolved', key });
  for (const cause of found) raise(turn, cause, againMs);
}

function raise(turn: Turn, cause: Cause, againMs: number): void {
  const known = turn.state.alerts.get(cause.key);
  if (!isNews(known, cause, { againMs, now: turn.now })) return;
  const quiet = known !== undefined && wasTold(known, cause, turn.now - againMs);
  turn.record({ type: 'alert.raised', ...cause, ...(quiet ? { quiet: true } : {}) });
}

/** Somebody was told of this form of it, or of a worse one, since that moment. */
function wasTold({ tellings }: AlertState, { code, level }: Cause, since: number): boolean {
  return tellings.some((telling) => telling.code === code && telling.level <= level && telling.at > since);
}

/** It begins, has got worse, or stands for so long that somebody is to hear of it again. */
function isNews(
  known: AlertState | undefined,
  cause: Cause,
  { againMs, now }: { readonly againMs: number; readonly now: number },
): boolean {
  if (known === undefined || known.resolved !== null || isOther(known, cause)) return true;
  return now - known.announcedAt >= againMs && known.acked === null;
}

/** Something is to be recorded of what was found; most looks find what is known. @param now wall clock, milliseconds. */
export function changesAlerts(
  alerts: ReadonlyMap<string, AlertState>,
  { found, undecided, againMs }: Omit<Extract<Input, { is: 'alerts.judged' }>, 'is'>,
  now: number,
): boolean {
  const keys = new Set(found.map(({ key }) => key));
  return (
    found.some((cause) => isNews(alerts.get(cause.key), cause, { againMs, now })) ||
    [...alerts.values()].some(
      ({ key, resolved }) => resolved === null && !keys.has(key) && !undecided.has(key),
    )
  );
}

/** Not the same trouble any more: a node that was silent is lost. */
function isOther(known: AlertState, { level, code }: Cause): boolean {
  return known.code !== code || known.level !== level;
}

/** A sink took a message. */
export function alertsTold(
  turn: Turn,
  { sink, raised, resolved }: Extract<Input, { is: 'alerts.told' }>,
): void {
  turn.record({ type: 'alert.told', sink, raised, resolved });
}

export function ackAlert(turn: Turn, { key, by }: Extract<Command, { verb: 'ack' }>): Reply {
  const alert = turn.state.alerts.get(key);
  if (alert === undefined) return { ok: false, code: 'E_NOT_FOUND', message: `no alert ${key}` };
  if (alert.resolved !== null) return { ok: true, notes: [`${key} is over already`] };
  if (alert.acked !== null) return { ok: true, notes: [`${alert.acked.by} has acknowledged it already`] };
  turn.record({ type: 'alert.acked', key, by });
  return { ok: true, notes: [] };
}
