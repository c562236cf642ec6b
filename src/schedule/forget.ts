/** What the scheduler keeps of a state between two turns, so that a turn costs what changed. */
import type { State } from '../model/state.ts';
import { forgetLedger } from './budget-ledger.ts';
import { forgetHeldPaths } from './locks.ts';
import { forgetQueues } from './queues.ts';

/** The state is another one from now on (see `replaceState`): all that was kept of it is made anew. */
export function forgetState(state: State): void {
  forgetLedger(state);
  forgetHeldPaths(state);
  forgetQueues(state);
}
