/** What a node says of an attempt without progress: kept in the store and shown to people, so its size has bounds. */
import type { RefusalKind } from '../model/attempt.ts';
import { PROMPT_CAUSES, type ProcessSeen, type StallCause } from '../model/stall.ts';
import { figure, type Json, list, need, object, text, whole } from './incoming-form.ts';

const CAUSES: ReadonlySet<string> = new Set<StallCause>([
  ...PROMPT_CAUSES,
  'stopped',
  'disk',
  'finished',
  'looping',
  'child',
  'model',
  'busy',
  'unknown',
]);
const STATES: ReadonlySet<string> = new Set<ProcessSeen['state']>([
  'running',
  'sleeping',
  'disk',
  'stopped',
  'zombie',
]);
const KINDS: ReadonlySet<string> = new Set<RefusalKind>(['rate', 'overload', 'quota', 'account', 'login']);
/** Members of a list, letters of a text. */
const MOST = 50;
const LONGEST = 2000;

/** @throws FrameError naming what is wrong. */
export function checkStall(stall: Json): void {
  need(CAUSES.has(String(stall.cause)), 'cause of a stall');
  short(stall.detail, 'detail');
  const evidence = object(stall.evidence, 'evidence');
  for (const key of ['quietMs', 'logBytes', 'more']) whole(evidence[key], key);
  need(typeof evidence.finished === 'boolean', 'finished');
  if (evidence.cpu !== null) {
    const cpu = object(evidence.cpu, 'cpu');
    for (const key of ['usedMs', 'overMs']) whole(cpu[key], key);
  }
  for (const process of few(evidence.processes, 'processes')) checkProcess(object(process, 'process'));
  for (const line of few(evidence.lastLines, 'lines')) short(line, 'line');
  if (evidence.lastEvent !== null) short(evidence.lastEvent, 'event');
  if (evidence.refused !== null) {
    const refused = object(evidence.refused, 'refusal');
    need(KINDS.has(String(refused.kind)), 'kind of a refusal');
    short(refused.message, 'message');
  }
  if (evidence.repeats === null) return;
  const repeats = object(evidence.repeats, 'repeats');
  short(repeats.line, 'line');
  whole(repeats.times, 'times');
}

/** @throws FrameError naming what is wrong. */
export function checkRefusal(refusal: Json): void {
  need(KINDS.has(String(refusal.kind)), 'kind of a refusal');
  if (refusal.retryAfterMs !== null) figure(refusal.retryAfterMs, 'time to wait');
}

function checkProcess(process: Json): void {
  for (const key of ['pid', 'ageMs']) whole(process[key], key);
  short(process.command, 'command');
  need(STATES.has(String(process.state)), 'state');
  need(process.waits === null || process.waits === 'terminal' || process.waits === 'network', 'waits');
  if (process.cpuMs !== null) whole(process.cpuMs, 'cpuMs');
}

function few(value: unknown, what: string): readonly unknown[] {
  const members = list(value, what);
  need(members.length <= MOST, what);
  return members;
}

function short(value: unknown, what: string): void {
  need(text(value, what).length <= LONGEST, what);
}
