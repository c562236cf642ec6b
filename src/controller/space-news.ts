/** Tells once that the disk of the store is full, and once that it is not any more. */
import type { DispatchError } from '../model/error.ts';
import type { Note } from './note.ts';

export class SpaceNews {
  #full = false;

  /** The last commit found no space. */
  get isFull(): boolean {
    return this.#full;
  }

  /** @param error null: a commit went through. */
  look(error: DispatchError | null): Note[] {
    if ((error !== null) === this.#full) return [];
    this.#full = error !== null;
    const message = error?.message ?? 'there is space again; going on';
    const { code = null, fix = null } = error ?? {};
    return [{ about: 'store', name: 'state.db', code, message, fix }];
  }
}
