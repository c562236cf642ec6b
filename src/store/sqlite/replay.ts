import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { evolve } from '../../model/evolve.ts';
import { IllegalFact } from '../../model/found.ts';
import { emptyState, type State } from '../../model/state.ts';
import { differences } from '../differences.ts';
import type { ReplayDifference } from '../port.ts';
import type { Db } from './database.ts';
import { stateLoader } from './load.ts';
import { allEvents } from './rows/events.ts';

/**
 * Rebuilds the state from the events alone and compares it with the tables, both from one snapshot, so that a
 * controller may write meanwhile. A log with a hole, or an event that does not fit what came before it, is named
 * and ends the comparison: what follows would differ without saying more.
 * @param load reads the tables.
 */
export function replayDifferences(db: Db, load = stateLoader(db)): ReplayDifference[] {
  return db.transaction(() => {
    const state = emptyState();
    const found = replayed(db, state);
    return found === null ? compareWithTables(db, state, load) : [found];
  })();
}

/** Tells the state every event. @returns the first that cannot be; null: all of them fit. */
function replayed(db: Db, state: State): ReplayDifference | null {
  let expected = 1;
  try {
    for (const event of allEvents(db)) {
      if (event.seq !== expected) return hole(expected, event);
      expected += 1;
      const problem = told(state, event);
      if (problem === null) continue;
      const { seq, fact } = event;
      const which = { seq, type: fact.type };
      return { what: `events ${seq}`, field: 'fact', fromEvents: problem, stored: fact, event: which };
    }
    return null;
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_STORE_DAMAGED') throw error;
    const stored = error.why ?? error.message;
    return { what: `events ${expected}`, field: 'fact', fromEvents: 'a fact that can be read', stored };
  }
}

/** @returns why the event cannot have been. One that was damaged may be of no kind, or lack what its kind has. */
function told(state: State, event: Event): string | null {
  try {
    evolve(state, event);
    return null;
  } catch (error) {
    if (error instanceof IllegalFact) return error.message;
    return `a fact of a known kind (${error instanceof Error ? error.message : String(error)})`;
  }
}

function compareWithTables(db: Db, state: State, load: () => State): ReplayDifference[] {
  try {
    return withEvents(db, differences(state, load()));
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_STORE_DAMAGED') throw error;
    return [{ what: 'tables', field: 'row', fromEvents: null, stored: error.why ?? error.message }];
  }
}

/** For so many differences the event is looked for: whoever has more has lost more than a field. */
const LOOKED_FOR = 50;

/** Names the event behind each difference, by a second replay, and puts the earliest first. */
function withEvents(db: Db, found: readonly ReplayDifference[]): ReplayDifference[] {
  const wanted = found.slice(0, LOOKED_FOR);
  if (wanted.length === 0) return [...found];
  const last: { value: string | undefined; event?: { seq: number; type: string } }[] = wanted.map(() => ({
    value: undefined,
  }));
  const state = emptyState();
  for (const event of allEvents(db)) {
    evolve(state, event);
    for (const [index, difference] of wanted.entries()) {
      const value = JSON.stringify(valueAt(state, difference));
      if (value === last[index]?.value) continue;
      last[index] = { value, event: { seq: event.seq, type: event.fact.type } };
    }
  }
  const named = wanted.map((difference, index) => {
    const event = last[index]?.event;
    return event === undefined ? difference : { ...difference, event };
  });
  const seqOf = ({ event }: ReplayDifference): number => event?.seq ?? Number.POSITIVE_INFINITY;
  return [...named.toSorted((a, b) => seqOf(a) - seqOf(b) || 0), ...found.slice(LOOKED_FOR)];
}

/** What `differences` compared under this name; undefined where it is not in the state. */
function valueAt(state: State, { what, field }: ReplayDifference): unknown {
  const [table = '', key = ''] = what.split(' ', 2);
  if (what === 'state') return state.epoch;
  const rows = state[table as 'tasks'] as ReadonlyMap<string, unknown> | undefined;
  if (key === '') return field === 'order' && rows !== undefined ? [...rows.keys()] : undefined;
  if (field === 'unconfirmed') return state.fenced.has(key as never);
  const row = rows?.get(key);
  if (field === 'row') return row;
  return field
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], row);
}

function hole(expected: number, next: Event): ReplayDifference {
  return { what: `events ${expected}`, field: 'seq', fromEvents: expected, stored: next.seq };
}
