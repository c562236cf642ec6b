import { DispatchError } from '../../model/error.ts';
import type { Event } from '../../model/event.ts';
import { evolve } from '../../model/evolve.ts';
import { IllegalFact } from '../../model/found.ts';
import { emptyState, type State } from '../../model/state.ts';
import { differences } from '../differences.ts';
import type { ReplayDifference } from '../port.ts';
import type { Db } from './database.ts';
import { loadState } from './load.ts';
import { allEvents } from './rows/events.ts';

/**
 * Rebuilds the state from the events alone and compares it with the tables, both from one snapshot, so that a
 * controller may write meanwhile. A log with a hole, or an event that does not fit what came before it, is named
 * and ends the comparison: what follows would differ without saying more.
 */
export function replayDifferences(db: Db): ReplayDifference[] {
  return db.transaction(() => {
    const state = emptyState();
    let expected = 1;
    for (const event of allEvents(db)) {
      if (event.seq !== expected) return [hole(expected, event)];
      expected += 1;
      try {
        evolve(state, event);
      } catch (error) {
        if (!(error instanceof IllegalFact)) throw error;
        return [
          { what: `events ${event.seq}`, field: 'fact', fromEvents: error.message, stored: event.fact },
        ];
      }
    }
    return compareWithTables(db, state);
  })();
}

function compareWithTables(db: Db, state: State): ReplayDifference[] {
  try {
    return differences(state, loadState(db));
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code !== 'E_STORE_DAMAGED') throw error;
    return [{ what: 'tables', field: 'row', fromEvents: null, stored: error.why ?? error.message }];
  }
}

function hole(expected: number, next: Event): ReplayDifference {
  return { what: `events ${expected}`, field: 'seq', fromEvents: expected, stored: next.seq };
}
