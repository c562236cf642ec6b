import { signatureOf } from './signature.ts';

/** Which files of a home were read, and as what: sizes and times, by what was read. */
export class SeenFiles {
  readonly #home: string;
  readonly #seen = new Map<string, string>();

  constructor(home: string) {
    this.#home = home;
  }

  /** It is about to be read. */
  async note(path: string): Promise<void> {
    this.#seen.set(path, await signatureOf(this.#home, path));
  }

  /** Was read when it had this signature. */
  set(path: string, signature: string): void {
    this.#seen.set(path, signature);
  }

  /** It is to be read again, whether it changes or not. */
  forget(path: string): void {
    this.#seen.delete(path);
  }

  /** True once for each change. */
  async hasChanged(path: string): Promise<boolean> {
    const now = await signatureOf(this.#home, path);
    if (this.#seen.get(path) === now) return false;
    this.#seen.set(path, now);
    return true;
  }
}
