/**
 * One connection between a controller and a node. Bytes keep their order in each direction, as in TCP; everything else
 * may go wrong: a cut loses what is under way, or lets it arrive with nobody left to hear the answer; an answer may
 * miss its deadline although the request was carried out.
 */
import type { JournalEntry } from '../../src/protocol/messages.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualNode, VirtualReply, VirtualRequest } from './virtual-node.ts';

/** Deadline of every call, milliseconds. */
const CALL_MS = 10_000;
/** A node that is silent for so long loses its stream. */
const KEEPALIVE_MS = 15_000;
/** How much later what was under way when a stream was cut may still arrive. */
const STRAGGLE_MS = 20_000;

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
    timeline.after(this.#toNode - timeline.now, () =>
      this.node.whenAwake(() => {
        if (!this.#open) {
          if (outlives) this.#straggle(request);
          return;
        }
        const reply = this.node.handle(request);
        if (lost) return;
        this.#back(() => settle(reply));
        // In one round trip with the inventory, and behind it on the stream.
        if (request.op === 'inventory') this.node.subscribe(this, this.#owner.from(this.journal));
      }),
    );
  }

  /** Carried out behind the back of whoever is connected by then; on a new disk nobody holds this end any more. */
  #straggle(request: VirtualRequest): void {
    this.#sim.timeline.after(this.#sim.rng.int(STRAGGLE_MS), () =>
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
    timeline.after(this.#toController - timeline.now, () => {
      if (!this.#open) return;
      this.#owner.onWord(this);
      arrive();
    });
  }

  #delay(): number {
    const { rng, scenario, calm } = this.#sim;
    return rng.int(calm ? 5 : scenario.delay) + 1;
  }
}
