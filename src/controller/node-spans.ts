/** Since when each node has been as it is now, for as long as this process has been awake to see it. */
import type { NodeName } from '../model/ids.ts';
import type { NodeLook } from './questions.ts';

export class NodeSpans {
  readonly #downSince = new Map<NodeName, number>();
  readonly #upSince = new Map<NodeName, number>();

  /** Nodes without a connection, and since when. */
  get downSince(): ReadonlyMap<NodeName, number> {
    return this.#downSince;
  }

  /** This process slept: what it saw before says nothing of the time between. */
  forget(): void {
    this.#downSince.clear();
    this.#upSince.clear();
  }

  /**
   * Takes a look at them. @returns when each connected node last said how it is doing. What it said before its connection
   * was lost is nothing that it owes since: the span begins anew with the connection.
   */
  look(looks: readonly NodeLook[], now: number): ReadonlyMap<NodeName, number> {
    const heardAt = new Map<NodeName, number>();
    for (const { name, connected, said } of looks) {
      if (connected) {
        this.#downSince.delete(name);
        if (!this.#upSince.has(name)) this.#upSince.set(name, now);
        heardAt.set(name, Math.max(said?.at ?? 0, this.#upSince.get(name) ?? now));
      } else {
        this.#upSince.delete(name);
        if (!this.#downSince.has(name)) this.#downSince.set(name, now);
      }
    }
    return heardAt;
  }
}
