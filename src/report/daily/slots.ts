/**
 * How long each node's slots worked, and how long they could have: kept up as events go by, one entry per node, told to
 * `spend` in pieces within which nothing changed. What counts as available is in `NodeDay`.
 *
 * The log says when a controller took over and when it woke, not when it went: one that is followed by another was there
 * until its last event.
 */
import type { NodeName } from '../../model/ids.ts';

export interface Piece {
  readonly node: NodeName;
  readonly from: number;
  readonly to: number;
  /** Slots that worked, and those that worked or could have. */
  readonly used: number;
  readonly available: number;
  /** A controller was there and awake, and had no stream to the node. */
  readonly away: boolean;
}

export interface SlotSink {
  spend(piece: Piece): void;
  /** No controller looked: its machine slept, or none ran. */
  blind(why: 'asleep' | 'absent', from: number, to: number): void;
}

interface Entry {
  readonly node: NodeName;
  readonly slots: number;
  since: number;
  busy: number;
  connected: boolean;
  marked: boolean;
}

export class SlotClock {
  readonly #slots: ReadonlyMap<NodeName, number>;
  readonly #sink: SlotSink;
  readonly #entries = new Map<NodeName, Entry>();
  #present = false;
  #lastAt: number | null = null;

  /** @param slots of the nodes in nodes.json. */
  constructor(slots: ReadonlyMap<NodeName, number>, sink: SlotSink) {
    this.#slots = slots;
    this.#sink = sink;
  }

  /** Something was recorded: whoever recorded it was there. */
  seen(at: number): void {
    if (this.#lastAt === null) for (const node of this.#slots.keys()) this.#entry(node, at);
    this.#lastAt = at;
  }

  busy(node: NodeName, change: 1 | -1, at: number): void {
    const entry = this.#settled(node, at);
    entry.busy = Math.max(0, entry.busy + change);
  }

  connect(node: NodeName, connected: boolean, at: number): void {
    this.#settled(node, at).connected = connected;
  }

  mark(node: NodeName, mark: 'none' | 'cordon' | 'drain', at: number): void {
    this.#settled(node, at).marked = mark !== 'none';
  }

  /** A controller took over; call before `seen`. */
  acquired(at: number): void {
    const left = this.#lastAt;
    this.leave();
    if (left !== null && at > left) this.#sink.blind('absent', left, at);
    for (const entry of this.#entries.values()) {
      this.#settle(entry, at);
      entry.connected = false;
    }
    this.#present = true;
  }

  /** Its machine slept for so long, until now. */
  slept(ms: number, at: number): void {
    const fell = at - ms;
    for (const entry of this.#entries.values()) this.#settle(entry, Math.max(entry.since, fell));
    this.#present = false;
    for (const entry of this.#entries.values()) this.#settle(entry, at);
    this.#present = true;
    this.#sink.blind('asleep', fell, at);
  }

  /** The controller is not there any more; it was until it recorded something last. */
  leave(): void {
    if (this.#lastAt !== null) for (const entry of this.#entries.values()) this.#settle(entry, this.#lastAt);
    this.#present = false;
  }

  /** Tells everything up to this moment. */
  flush(at: number): void {
    for (const entry of this.#entries.values()) this.#settle(entry, at);
  }

  get connected(): Set<NodeName> {
    return new Set([...this.#entries.values()].flatMap(({ node, connected }) => (connected ? node : [])));
  }

  #settled(node: NodeName, at: number): Entry {
    const entry = this.#entry(node, at);
    this.#settle(entry, at);
    return entry;
  }

  #entry(node: NodeName, at: number): Entry {
    const known = this.#entries.get(node);
    if (known !== undefined) return known;
    const slots = this.#slots.get(node) ?? 0;
    const entry: Entry = { node, slots, since: at, busy: 0, connected: false, marked: false };
    this.#entries.set(node, entry);
    return entry;
  }

  /** The wall clock may have been set back: then what lies between is told once more. */
  #settle(entry: Entry, at: number): void {
    const { node, since: from, busy: used, slots, connected, marked } = entry;
    entry.since = at;
    if (at <= from) return;
    const open = this.#present && connected && !marked;
    const available = open ? Math.max(slots, used) : used;
    const away = this.#present && !connected && slots > 0;
    if (available > 0 || away) this.#sink.spend({ node, from, to: at, used, available, away });
  }
}
