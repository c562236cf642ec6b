/** Gathers what shows of a step that prints nothing: its log's end, its processes, what its agent's stream has said. */
import { isRead, readOutcome } from '../src/executors/outcome.ts';
import { lastEventOf } from '../src/executors/stream-tail.ts';
import { withoutSecrets } from '../src/gates/secrets.ts';
import { stripControls } from '../src/gates/shorten.ts';
import type { Evidence, ProcessSeen } from '../src/model/stall.ts';
import type { AgentSeen } from './attempts.ts';
import { readIfThere } from './durable.ts';
import { readEnds, sizeOf } from './ends.ts';
import { commandOf, type ProcessTable, type Row } from './process-table.ts';

export interface Scene {
  readonly table: ProcessTable;
  /** What the step has started, the oldest first. */
  readonly rows: readonly Row[];
  /** Own CPU time of each of them at the look before, by process id. */
  readonly before: ReadonlyMap<number, number>;
  readonly cpu: Evidence['cpu'];
  readonly quietMs: number;
  readonly logBytes: number;
  readonly repeats: Evidence['repeats'];
  /** The log, and where this round begins in it. */
  readonly log: string;
  readonly from: number;
  /** The step's script: it holds the keys that must not be told. */
  readonly script: string;
  /** null: a verify command. */
  readonly agent: AgentSeen | null;
}

/** Processes that are told of. */
const MOST_PROCESSES = 6;
const MOST_LINES = 6;
const TEXT_LENGTH = 200;
/** Bytes of the log's end that are read. */
const TAIL_BYTES = 64 * 1024;
const LINES_BYTES = 8 * 1024;

export function evidenceOf(scene: Scene): Evidence {
  const { rows, agent, cpu, quietMs, logBytes, repeats } = scene;
  const clean = cleaner(scene);
  const tail = tailOf(scene);
  const said = agent !== null && isRead(agent) ? readOutcome(agent, tail) : null;
  const refusal = said?.apiError ?? null;
  return {
    quietMs: Math.round(quietMs),
    logBytes,
    cpu: cpu === null ? null : { usedMs: Math.round(cpu.usedMs), overMs: Math.round(cpu.overMs) },
    processes: told(rows).map((row) => seen(scene, row, clean)),
    more: Math.max(0, rows.length - MOST_PROCESSES),
    finished: said?.finished ?? false,
    refused: refusal?.kind == null ? null : { kind: refusal.kind, message: clean(refusal.message) },
    lastEvent: said === null ? null : lastEventOf(tail),
    repeats: repeats === null ? null : { ...repeats, line: clean(repeats.line) },
    lastLines: stripControls(tail.slice(-LINES_BYTES))
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .slice(-MOST_LINES)
      .map(clean),
  };
}

/** The agent, which is the oldest, and those that began last: what it waits for now is among them. */
function told(rows: readonly Row[]): readonly Row[] {
  if (rows.length <= MOST_PROCESSES) return rows;
  return [...rows.slice(0, 1), ...rows.slice(1 - MOST_PROCESSES)];
}

function seen({ table, before }: Scene, row: Row, clean: (text: string) => string): ProcessSeen {
  const ownBefore = before.get(row.pid);
  return {
    pid: row.pid,
    command: clean(commandOf(row)),
    state: row.state,
    waits: table.waitsOf(row),
    cpuMs: ownBefore === undefined ? null : Math.max(0, row.ownMs - ownBefore),
    ageMs: row.ageMs,
  };
}

function tailOf({ log, from }: Scene): string {
  const size = sizeOf(log);
  return readEnds(log, Math.max(Math.min(from, size), size - TAIL_BYTES), TAIL_BYTES);
}

/** Text that may leave the node: one line, no control characters, none of the attempt's own keys nor what looks like one. */
function cleaner({ script, agent }: Scene): (text: string) => string {
  const keys = agent === null ? [] : keysIn(script, agent.secrets);
  return (text) => {
    const line = stripControls(text).replace(/\s+/g, ' ').trim();
    const bare = keys.reduce((left, key) => left.replaceAll(key, '[redacted]'), line);
    return withoutSecrets(bare).slice(0, TEXT_LENGTH);
  };
}

/** A short value is no key, and would be found everywhere. */
const LEAST_KEY = 6;

function keysIn(script: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const text = readIfThere(script) ?? '';
  return names.flatMap((name) => {
    const quoted = new RegExp(`^export ${name}='((?:[^']|'\\\\'')*)'$`, 'm').exec(text)?.[1];
    const key = quoted?.replaceAll(`'\\''`, "'");
    return key === undefined || key.length < LEAST_KEY ? [] : [key];
  });
}
