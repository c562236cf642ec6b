import { DispatchError } from '../../../model/error.ts';
import type { Event, Fact, NewEvent, Source } from '../../../model/event.ts';
import type { TaskKey } from '../../../model/ids.ts';
import type { Db } from '../database.ts';

/** Events that are in memory together when all are read. */
const PART = 500;
/** Characters of a fact that cannot be read. */
const SHOWN = 200;

interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly epoch: number;
  readonly type: string;
  readonly task: string | null;
  /** The fact without its `type`. */
  readonly fact: string;
  readonly source_node: string | null;
  readonly source_journal: string | null;
  readonly source_seq: number | null;
}

const COLUMNS = 'seq, at, epoch, type, task, fact, source_node, source_journal, source_seq';

/** A statement that appends an event and returns its seq. `task` is the task it concerns. */
export function appendEvent(db: Db): (event: NewEvent, task: TaskKey | null) => number {
  const statement = db.prepare<
    [number, number, string, string | null, string, string | null, string | null, number | null]
  >(`
    INSERT INTO events (at, epoch, type, task, fact, source_node, source_journal, source_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  return ({ at, epoch, fact, source }, task) => {
    const { type, ...rest } = fact;
    const text = JSON.stringify(rest);
    const from = source ?? { node: null, journal: null, seq: null };
    const { lastInsertRowid } = statement.run(at, epoch, type, task, text, from.node, from.journal, from.seq);
    return Number(lastInsertRowid);
  };
}

/** A statement that returns the seq of the newest event, 0 when there is none. */
export function lastSeq(db: Db): () => number {
  const statement = db.prepare<[], number | null>('SELECT max(seq) FROM events').pluck();
  return () => statement.get() ?? 0;
}

/** A statement that returns at most `limit` events with seq > `after`, in order. */
export function eventsAfter(db: Db): (after: number, limit: number) => Event[] {
  const statement = rowsAfter(db);
  return (after, limit) => statement.all(after, limit).map(fromRow);
}

/** A statement that returns the events that concern one task, in order. */
export function eventsOfTask(db: Db): (task: TaskKey) => Event[] {
  const statement = db.prepare<[string], EventRow>(
    `SELECT ${COLUMNS} FROM events WHERE task = ? ORDER BY seq`,
  );
  return (task) => statement.all(task).map(fromRow);
}

/** A statement that returns the text of a task's spec as it was accepted last; the log is the only place that keeps it. */
export function specTextOf(db: Db): (task: TaskKey) => string | null {
  const statement = db
    .prepare<[string], string>(
      `SELECT fact FROM events WHERE task = ? AND type IN ('task.added', 'task.changed') ORDER BY seq DESC LIMIT 1`,
    )
    .pluck();
  return (task) => {
    const fact = statement.get(task);
    return fact === undefined ? null : (JSON.parse(fact) as { text: string }).text;
  };
}

/** Every event from the first on. Rows are read in parts, which takes a third of the time of single ones. */
export function* allEvents(db: Db): Generator<Event> {
  const next = rowsAfter(db);
  for (let part = next.all(0, PART); part.length > 0; part = next.all(part.at(-1)?.seq ?? 0, PART)) {
    for (const row of part) yield fromRow(row);
  }
}

function rowsAfter(db: Db) {
  return db.prepare<[number, number], EventRow>(
    `SELECT ${COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
}

/** @throws DispatchError E_STORE_DAMAGED naming the event. */
function fromRow(row: EventRow): Event {
  return {
    seq: row.seq,
    at: row.at,
    epoch: row.epoch,
    fact: { type: row.type, ...factOf(row) } as Fact,
    source: sourceOf(row),
  };
}

function factOf({ seq, type, fact }: EventRow): object {
  try {
    return JSON.parse(fact) as object;
  } catch (cause) {
    throw new DispatchError('E_STORE_DAMAGED', `event ${seq} (${type}) of the store cannot be read`, {
      why: `${(cause as Error).message}: ${fact.slice(0, SHOWN)}`,
      fix: 'put a backup back: dispatch restore <backup>; or without one: dispatch restore --from-hubs',
      cause,
    });
  }
}

function sourceOf(row: EventRow): Source | null {
  const { source_node: node, source_journal: journal, source_seq: seq } = row;
  if (node === null || journal === null || seq === null) return null;
  return { node: node as Source['node'], journal, seq };
}
