/**
 * A set that remembers what was added to it last. Whoever keeps something in step with a large set then looks at what
 * is new and not at all of it. An addition is noted even when the member was there already: it may have changed.
 */
export class NotedSet<T> extends Set<T> {
  /** The newest additions, oldest first. */
  readonly #log: T[] = [];
  /** Additions that are not in the log any more. */
  #dropped = 0;

  override add(member: T): this {
    super.add(member);
    if (this.#log.length >= LONGEST_LOG) {
      this.#log.splice(0, LONGEST_LOG / 2);
      this.#dropped += LONGEST_LOG / 2;
    }
    this.#log.push(member);
    return this;
  }

  /** How many additions there have been. */
  get additions(): number {
    return this.#dropped + this.#log.length;
  }

  /** What was added after the first `count` additions; null when that is too long ago to tell. */
  addedAfter(count: number): readonly T[] | null {
    return count < this.#dropped ? null : this.#log.slice(count - this.#dropped);
  }
}

const LONGEST_LOG = 4096;
