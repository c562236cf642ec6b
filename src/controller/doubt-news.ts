/** What a person hears when something does not hold that must always hold (see `doubts`). */
import { DispatchError } from '../model/error.ts';
import type { Note } from './note.ts';

const FIX = 'dispatch replay --check';

/** Tells each thing once. */
export class DoubtNews {
  readonly #onNote: (note: Note) => void;
  #told = 0;

  constructor(onNote: (note: Note) => void) {
    this.#onNote = onNote;
  }

  /** @param doubts in the order in which they were found; none is taken back. */
  look(doubts: ReadonlySet<string>): void {
    if (doubts.size === this.#told) return;
    for (const what of [...doubts].slice(this.#told)) {
      const message = messageOf(what);
      this.#onNote({ about: 'component', name: 'the controller', code: 'E_INVARIANT', message, fix: FIX });
    }
    this.#told = doubts.size;
  }
}

/** For whoever waits for work that does not start. */
export function doubtError(doubts: ReadonlySet<string>): DispatchError {
  return new DispatchError('E_INVARIANT', messageOf([...doubts].join('; ')), { fix: FIX });
}

function messageOf(what: string): string {
  return `no work starts and nothing lands, because what must always hold does not: ${what}`;
}
