/** Values by word, to be found by a word that begins with theirs, or with which theirs begins. */
export class WordIndex<Value> {
  readonly #byWord = new Map<string, Map<string, Value>>();
  /** The words in code unit order, so that those with a common beginning stand together. */
  readonly #sorted: string[] = [];

  get size(): number {
    return this.#sorted.length;
  }

  get(word: string, id: string): Value | undefined {
    return this.#byWord.get(word)?.get(id);
  }

  set(word: string, id: string, value: Value): void {
    let values = this.#byWord.get(word);
    if (values === undefined) {
      this.#byWord.set(word, (values = new Map()));
      this.#sorted.splice(this.#position(word), 0, word);
    }
    values.set(id, value);
  }

  delete(word: string, id: string): void {
    const values = this.#byWord.get(word);
    values?.delete(id);
    if (values?.size !== 0) return;
    this.#byWord.delete(word);
    this.#sorted.splice(this.#position(word), 1);
  }

  /** Values of words that are a beginning of this one, or of which this one is a beginning. */
  *compatible(word: string): Generator<Value> {
    for (let length = 0; length < word.length; length++) {
      const values = this.#byWord.get(word.slice(0, length));
      if (values !== undefined) yield* values.values();
    }
    for (let at = this.#position(word); this.#sorted[at]?.startsWith(word); at++) {
      yield* this.#byWord.get(this.#sorted[at] ?? '')?.values() ?? [];
    }
  }

  /** Index of the first word that is not before this one. */
  #position(word: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? '') < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
