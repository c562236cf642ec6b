/** What a person hears when something does not hold that must always hold (see `doubts`). */
import { DispatchError } from '../model/error.ts';
import type { Note } from './note.ts';

const FIX = 'dispatch replay --check';

/** Tells each thing once. */
export class DoubtNews {
  #told = 0;

  /** @param doubts in the order in which they were found; none is taken back. */
  look(doubts: ReadonlySet<string>): Note[] {
    const fresh = [...doubts].slice(this.#told);
    this.#told = doubts.size;
    return fresh.map((what) => ({
      about: 'component',
      name: 'the controller',
      code: 'E_INVARIANT',
      message: messageOf(what),
      fix: FIX,
    }));
  }
}

/** For whoever waits for work that does not start. */
export function doubtError(doubts: ReadonlySet<string>): DispatchError {
  return new DispatchError('E_INVARIANT', messageOf([...doubts].join('; ')), { fix: FIX });
}

function messageOf(what: string): string {
  return `no work starts and nothing lands, because what must always hold does not: ${what}`;
}
