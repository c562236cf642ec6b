/**
 * One connection between a controller and a node. Bytes keep their order in each direction, as in TCP; everything else
 * may go wrong: a cut loses what is under way, or lets it arrive with nobody left to hear the answer; an answer may
 * miss its deadline although the request was carried out.
 */
import type { JournalEntry } from '../../src/protocol/messages.ts';
import type { Rng } from './rng.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualNode, VirtualReply, VirtualRequest } from './virtual-node.ts';

/** Deadline of every call, milliseconds. */
const CALL_MS = 10_000;
/** A node that is silent for so long loses its stream. */
const KEEPALIVE_MS = 15_000;
/** Longest that a request is late: it may be carried out when nobody waits for the answer any more. */
const LATE_MS = 12_000;
/** How much later what was under way when a stream was cut may still arrive. */
const STRAGGLE_MS = 20_000;

/** To the node, or from it. */
export type Way = 'there' | 'back';

export type Answer = VirtualReply | { readonly failed: 'disconnected' | 'timeout' };

export interface StreamOwner {
  /** Highest entry of this journal that need not be sent. */
  readonly from: (journal: string) => number;
  /** Something has come from the node. */
  readonly onWord: (stream: Stream) => void;
  readonly onNews: (stream: Stream, journal: string, entries: readonly JournalEntry[]) => void;
  readonly onCut: (stream: Stream, reason: string) => void;
}

export class Stream {
  readonly node: VirtualNode;
  readonly journal: string;
  readonly #sim: Simulation;
  readonly #owner: StreamOwner;
  readonly #pending = new Set<(answer: Answer) => void>();
  readonly #openedAt: number;
  readonly #clogged = new Map<Way, (() => void)[]>();
  #open = true;
  #toNode = 0;
  #toController = 0;

  constructor(sim: Simulation, node: VirtualNode, owner: StreamOwner) {
    this.#sim = sim;
    this.node = node;
    this.journal = node.journal;
    this.#owner = owner;
    this.#openedAt = sim.timeline.now;
    node.streams.add(this);
    if (node.asleep) this.listen();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Asks the node; `done` is called exactly once, unless the asking controller is dead. */
  call(request: VirtualRequest, done: (answer: Answer) => void): void {
    if (!this.#open) return done({ failed: 'disconnected' });
    const { rng, scenario, faults, timeline } = this.#sim;
    const what = `${request.op} on ${this.node.name}`;
    const settle = (answer: Answer): void => {
      if (this.#pending.delete(settle)) done(answer);
    };
    this.#pending.add(settle);
    timeline.after(CALL_MS, () => settle({ failed: 'timeout' }));
    if (faults.strikes('lost-request', scenario.lostRequest, what) !== null) return;
    const lost = faults.strikes('lost-reply', scenario.lostReply, what) !== null;
    // What had left the machine when the stream was cut may still be carried out.
    const outlives = rng.chance(0.5);
    this.#toNode = Math.max(this.#toNode, timeline.now + this.#delay());
    this.#toNode += faults.strikes('late', scenario.menu.late, what)?.magnitude(100, LATE_MS) ?? 0;
    const overtaken =
      request.op === 'inventory' ? null : faults.strikes('overtaken', scenario.menu.overtaken, what);
    const again = faults.strikes('duplicate', scenario.menu.duplicated, what);
    timeline.after(this.#toNode - timeline.now, () =>
      this.#arrive('there', () => {
        if (again !== null) this.#straggle(request, again);
        if (!this.#open) {
          if (outlives) this.#straggle(request);
          return;
        }
        const reply = this.node.handle(request);
        if (lost) return;
        if (overtaken === null) this.#back(() => settle(reply));
        else timeline.after(overtaken.int(CALL_MS), () => this.#back(() => settle(reply)));
        // In one round trip with the inventory, and behind it on the stream.
        if (request.op === 'inventory') this.node.subscribe(this, this.#owner.from(this.journal));
      }),
    );
  }

  /** Carried out behind the back of whoever is connected by then; on a new disk nobody holds this end any more. */
  #straggle(request: VirtualRequest, rng: Rng = this.#sim.rng): void {
    this.#sim.timeline.after(rng.int(STRAGGLE_MS), () =>
      this.node.whenAwake(() => {
        if (this.node.journal === this.journal) this.node.handle(request);
      }),
    );
  }

  /** News from the node. */
  push(entries: readonly JournalEntry[]): void {
    if (this.#open && entries.length > 0) {
      this.#back(() => this.#owner.onNews(this, this.journal, entries));
    }
  }

  /** The node has just fallen asleep: it does not answer the next keepalive. Of those that are answered nobody hears. */
  listen(): void {
    const { timeline } = this.#sim;
    const next = KEEPALIVE_MS - ((timeline.now - this.#openedAt) % KEEPALIVE_MS);
    timeline.after(next, () => {
      if (this.node.asleep) this.cut('no answer to a keepalive');
    });
  }

  /** Both sides notice, sooner or later; what is pending is unknown from now on. */
  cut(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.node.drop(this);
    // What was held up has left its machine: it straggles, or nobody hears it.
    for (const way of ['there', 'back'] as const) this.clear(way);
    const pending = [...this.#pending];
    this.#pending.clear();
    const { rng, timeline } = this.#sim;
    timeline.after(rng.int(50), () => this.#owner.onCut(this, reason));
    for (const settle of pending) {
      this.#pending.add(settle);
      timeline.after(rng.int(100), () => settle({ failed: 'disconnected' }));
    }
  }

  /** The controller's process is gone, and with it its end of the stream. */
  abandon(): void {
    this.#open = false;
    this.node.drop(this);
    this.#pending.clear();
  }

  #back(arrive: () => void): void {
    const { timeline } = this.#sim;
    this.#toController = Math.max(this.#toController, timeline.now + this.#delay());
    timeline.after(this.#toController - timeline.now, () =>
      this.#arrive('back', () => {
        if (!this.#open) return;
        this.#owner.onWord(this);
        arrive();
      }),
    );
  }

  /** Now, or when the line is free. */
  #arrive(way: Way, run: () => void): void {
    const arrives = way === 'there' ? (): void => this.node.whenAwake(run) : run;
    const held = this.#clogged.get(way);
    if (held === undefined) arrives();
    else held.push(arrives);
  }

  /** Nothing comes through in this direction any more; after a while a keepalive notices. */
  clog(way: Way): void {
    if (!this.#open || this.#clogged.has(way) || this.#sim.calm) return;
    const held: (() => void)[] = [];
    this.#clogged.set(way, held);
    this.#sim.timeline.after(KEEPALIVE_MS, () => {
      if (this.#clogged.get(way) === held) this.cut('no answer to a keepalive');
    });
  }

  /** The line is free: what waited arrives, in its order. */
  clear(way: Way): void {
    const held = this.#clogged.get(way) ?? [];
    this.#clogged.delete(way);
    for (const arrives of held) arrives();
  }

  #delay(): number {
    const { rng, scenario, calm } = this.#sim;
    const usual = rng.int(calm ? 5 : scenario.delay) + 1;
    return calm ? usual : usual * this.node.slowness;
  }
}
