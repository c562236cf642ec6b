/** What a sink is given: plain text, the same for all of them; each kind puts it into its own body. */
import { createHash } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import type { AlertLevel, AlertState } from '../model/alert.ts';
import type { Pending } from './pending.ts';

export interface Message {
  /** The same when it is sent again, so that a receiver may drop the second. */
  readonly id: string;
  readonly is: 'alerts' | 'report' | 'test';
  /** Null for a report, and where all is over. */
  readonly level: AlertLevel | null;
  readonly title: string;
  readonly text: string;
  readonly alerts: readonly Told[];
  /** A page for who can show one. */
  readonly html: string | null;
}

interface Told {
  readonly state: 'raised' | 'resolved';
  readonly key: string;
  readonly level: AlertLevel;
  readonly code: string;
  readonly about: string;
  readonly message: string;
  readonly fix: string | null;
  /** ISO 8601. */
  readonly since: string;
}

/** More are counted, and listed by `dispatch alerts`. */
const MOST_NAMED = 10;

/** @param home what the reader calls this home: its directory. */
export function alertMessage({ raised, resolved }: Pending, home: string): Message {
  const urgent = raised.some(({ level }) => level === 'P0');
  const ordered = raised.toSorted((a, b) => compare(a.level, b.level));
  const [first] = [...ordered, ...resolved];
  const lines = [...ordered.map(raisedLine), ...resolved.map(resolvedLine)];
  const more =
    lines.length > MOST_NAMED ? [`and ${lines.length - MOST_NAMED} more: dispatch alerts list`] : [];
  const level = raised.length === 0 ? null : urgent ? 'P0' : 'P1';
  const one = first === undefined ? '' : `${first.about}: ${first.code}`;
  const counts = [
    ...(raised.length > 0 ? [`${raised.length} new`] : []),
    ...(resolved.length > 0 ? [`${resolved.length} resolved`] : []),
  ].join(', ');
  const what = lines.length === 1 ? `${level === null ? 'resolved: ' : ''}${one}` : counts;
  return {
    id: idOf([...raised, ...resolved]),
    is: 'alerts',
    level,
    title: clean(`dispatch ${home}: ${level === null ? '' : `${level} `}${what}`),
    text: [...lines.slice(0, MOST_NAMED), ...more].join('\n\n'),
    alerts: [
      ...ordered.slice(0, MOST_NAMED).map((alert) => told(alert, 'raised')),
      ...resolved.slice(0, MOST_NAMED).map((alert) => told(alert, 'resolved')),
    ],
    html: null,
  };
}

export function testMessage(sink: string, home: string, now: number): Message {
  return {
    id: `test-${now}`,
    is: 'test',
    level: null,
    title: clean(`dispatch ${home}: test`),
    text: `This is a test of the sink ${sink}. Nothing is wrong.`,
    alerts: [],
    html: null,
  };
}

/** @param markdown the whole report; a sink cuts it where it takes no more. */
export function reportMessage(
  { label, markdown, html }: { readonly label: string; readonly markdown: string; readonly html: string },
  home: string,
): Message {
  return {
    id: `report-${label}`,
    is: 'report',
    level: null,
    title: clean(`dispatch ${home}: report ${label}`),
    text: markdown.split('\n').map(clean).join('\n'),
    alerts: [],
    html,
  };
}

/** At most `bytes` of UTF-8, with a sign that something is missing; no character is torn. */
export function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const mark = '\n…';
  const room = Buffer.from(text).subarray(0, bytes - Buffer.byteLength(mark));
  return `${room.toString('utf8').replace(/�$/u, '')}${mark}`;
}

function raisedLine({ level, about, code, message, fix }: AlertState): string {
  return [
    clean(`${level} ${about}: ${code}: ${message}`),
    ...(fix === null ? [] : [clean(`fix: ${fix}`)]),
  ].join('\n');
}

function resolvedLine({ about, code, message }: AlertState): string {
  return clean(`resolved ${about}: ${code}: it was: ${message}`);
}

function told(alert: AlertState, state: Told['state']): Told {
  const { key, level, code, about, message, fix, since } = alert;
  const text = { about: clean(about), message: clean(message), fix: fix === null ? null : clean(fix) };
  return { state, key, level, code, ...text, since: new Date(since).toISOString() };
}

function idOf(alerts: readonly AlertState[]): string {
  const hash = createHash('sha256');
  for (const { key, announcedAt, resolved } of alerts)
    hash.update(`${key}\0${announcedAt}\0${resolved?.at ?? ''}\0`);
  return hash.digest('hex').slice(0, 32);
}

/** One line without what a terminal would obey or what reorders text. */
function clean(text: string): string {
  return (
    stripVTControlCharacters(text)
      // oxlint-disable-next-line no-control-regex -- exactly these are replaced
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]+/gu, ' ')
      .trim()
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
