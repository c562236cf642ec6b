/**
 * Tells each node which of its journal entries are durable here. Without that a node would keep every entry for ever, in
 * memory and on disk, and give all of them to the next home that asks. It is not urgent, so it is said once in a while.
 */
import type { Event, Source } from '../model/event.ts';
import type { NodeName } from '../model/ids.ts';

/** Between two words to the same node, milliseconds. */
const EVERY_MS = 1000;

export class Acks {
  readonly #send: (upTo: Source) => void;
  readonly #everyMs: number;
  readonly #due = new Map<NodeName, Source>();
  #timer: NodeJS.Timeout | null = null;

  /** @param send takes what it is given, or loses it: the next entries bring another word. */
  constructor(send: (upTo: Source) => void, everyMs: number = EVERY_MS) {
    this.#send = send;
    this.#everyMs = everyMs;
  }

  /** These events are durable. */
  note(events: readonly Event[]): void {
    for (const { source } of events) if (source !== null) this.#due.set(source.node, source);
    if (this.#due.size === 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#say(), this.#everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due.clear();
  }

  #say(): void {
    this.#timer = null;
    for (const upTo of this.#due.values()) this.#send(upTo);
    this.#due.clear();
  }
}
