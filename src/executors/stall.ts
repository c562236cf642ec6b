/** From what a node saw of a silent attempt to why it is silent. */
import type { ExecutorDef } from '../model/executor.ts';
import type { Evidence, Stall, StallCause } from '../model/stall.ts';
import { callOf } from './kinds.ts';

/** Share of one core from which on it is at work. */
const BUSY_SHARE = 0.1;
/** Helpers that an agent starts with (servers of tools) are as old as itself; what it waits for is younger by this, milliseconds. */
const HELPER_MS = 10_000;
/** Letters of a line or command that are shown. */
const DETAIL_LENGTH = 160;

/**
 * The cause and what it was seen by. What only a person can mend comes before what passes by itself, and what an agent
 * says before what its processes look like.
 * @param def null: it is a verify command, which has no words of its own.
 */
export function stallOf(def: Pick<ExecutorDef, 'kind' | 'call'> | null, evidence: Evidence): Stall {
  const { cause, detail } = found(def ?? { kind: 'shell' }, evidence);
  return { cause, detail: detail.slice(0, DETAIL_LENGTH), evidence };
}

type Found = Pick<Stall, 'cause' | 'detail'>;

function found(def: Pick<ExecutorDef, 'kind' | 'call'>, evidence: Evidence): Found {
  return (
    stopped(evidence) ??
    finished(evidence) ??
    looping(evidence) ??
    refused(evidence) ??
    asking(def, evidence) ??
    stuck(evidence) ??
    typing(evidence) ??
    atWork(evidence) ?? { cause: 'unknown', detail: idleText(evidence) }
  );
}

function stopped({ processes }: Evidence): Found | null {
  const one = processes.find(({ state }) => state === 'stopped');
  return one === undefined ? null : { cause: 'stopped', detail: one.command };
}

function finished({ finished: said }: Evidence): Found | null {
  return said ? { cause: 'finished', detail: '' } : null;
}

function looping({ repeats }: Evidence): Found | null {
  return repeats === null ? null : { cause: 'looping', detail: `${repeats.times} times ${repeats.line}` };
}

function refused({ refused: by }: Evidence): Found | null {
  if (by === null) return null;
  const cause: StallCause = by.kind === 'login' || by.kind === 'account' ? 'login' : 'rate';
  return { cause, detail: by.message };
}

/** Who computes does not wait for an answer, whatever it printed last. Events are no words for a person. */
function asking(def: Pick<ExecutorDef, 'kind' | 'call'>, evidence: Evidence): Found | null {
  if (isBusy(evidence)) return null;
  const lines = evidence.lastLines.filter((line) => !line.trimStart().startsWith('{')).toReversed();
  for (const line of lines) {
    const low = line.toLowerCase();
    const rule = callOf(def).stalls.find(({ text }) => low.includes(text.toLowerCase()));
    if (rule !== undefined) return { cause: rule.cause, detail: line.trim() };
  }
  return null;
}

function stuck(evidence: Evidence): Found | null {
  if (isBusy(evidence)) return null;
  const one = evidence.processes.find(({ state }) => state === 'disk');
  return one === undefined ? null : { cause: 'disk', detail: one.command };
}

function typing({ processes }: Evidence): Found | null {
  const one = processes.find(({ waits }) => waits === 'terminal');
  return one === undefined ? null : { cause: 'keyboard', detail: one.command };
}

/** The agent is the first of its processes; what it started counts before what it does itself. */
function atWork(evidence: Evidence): Found | null {
  const [agent, ...rest] = evidence.processes.filter(({ state }) => state !== 'zombie');
  if (agent === undefined) return null;
  const busiest = rest.toSorted((a, b) => (b.cpuMs ?? 0) - (a.cpuMs ?? 0))[0];
  const busy = isBusy(evidence);
  if (busy && busiest !== undefined && (busiest.cpuMs ?? 0) > (agent.cpuMs ?? 0))
    return { cause: 'child', detail: busiest.command };
  if (busy) return { cause: 'busy', detail: agent.command };
  const young = rest.filter(({ ageMs }) => agent.ageMs - ageMs > HELPER_MS);
  const online = evidence.processes.some(({ waits }) => waits === 'network');
  const child = (online ? young : rest).toSorted((a, b) => a.ageMs - b.ageMs)[0];
  if (child !== undefined) return { cause: 'child', detail: child.command };
  return online ? { cause: 'model', detail: '' } : null;
}

/** On a machine that is full it may get little of a core, and still want all of it. */
function isBusy({ cpu, processes }: Evidence): boolean {
  if (cpu === null || cpu.overMs === 0) return false;
  return (
    cpu.usedMs / cpu.overMs >= BUSY_SHARE ||
    (cpu.usedMs > 0 && processes.some(({ state }) => state === 'running'))
  );
}

function idleText({ processes }: Evidence): string {
  const [agent] = processes;
  if (agent === undefined) return 'no process of it can be seen';
  if (processes.every(({ state }) => state === 'zombie'))
    return 'what it started has ended and was not waited for';
  return `${agent.command} sleeps, without a connection or a program that it waits for`;
}
