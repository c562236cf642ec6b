/**
 * A bad line in front of a server on loopback. Bytes arrive late by a delay and by what is drawn on top of it, never out
 * of order; a piece that counts as lost holds up all that follow until it would have been sent again, as TCP does. That
 * is loss as programs see it, in time: pieces are what this process reads at once, up to 64 KiB, and no packet is dropped,
 * so TCP's own way with losses (fewer packets at a time, selective repeats) is not in it. A line can be cut (both ends are
 * told), be clogged (nothing passes, everything comes later), or become a hole: it takes connections and bytes, gives
 * nothing back, and tells nobody. Packets that are really lost, all of them for a while, are in wire.ts; this works in
 * every kernel and for every user.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../cluster/sshd.ts';
import type { Rng } from '../sim/rng.ts';

export interface Weather {
  /** One way, milliseconds. */
  readonly delayMs: number;
  /** At most so much on top, drawn for each piece, milliseconds. */
  readonly jitterMs: number;
  /** Share of pieces that are lost once and sent again. */
  readonly loss: number;
}

export const FAIR: Weather = { delayMs: 0, jitterMs: 0, loss: 0 };
/** TCP sends again after this at the earliest, milliseconds. */
const RESEND_MS = 200;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly ways: Way[];
}

export class Line {
  weather: Weather = FAIR;
  readonly #port: number;
  readonly #rng: Rng;
  readonly #pairs = new Set<Pair>();
  #server: Server | null = null;
  #listensOn = 0;
  #hole = false;
  #clogged = false;

  /** @param port of the server on loopback. */
  constructor(port: number, rng: Rng) {
    this.#port = port;
    this.#rng = rng;
  }

  /** Where clients find the server; the same after a cut. */
  get port(): number {
    return this.#listensOn;
  }

  async open(): Promise<void> {
    this.#hole = false;
    if (this.#listensOn === 0) this.#listensOn = await freePort();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#listensOn, '127.0.0.1', resolve);
    });
  }

  /** Ends every connection, and refuses new ones until `open`. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    const closed = new Promise<void>((resolve) =>
      server === null ? resolve() : server.close(() => resolve()),
    );
    this.drop();
    await closed;
  }

  /** Ends every connection; new ones are taken at once. */
  drop(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** From now on everything vanishes on the way. */
  hole(): void {
    this.#hole = true;
  }

  /**
   * Things pass again. A connection of before is never heard of again by either end, as where the state of a firewall is
   * lost; only new ones get through.
   */
  fill(): void {
    this.#hole = false;
  }

  /** Nothing passes any more, and nothing is lost: what was sent arrives after `unclog`, and nobody is told meanwhile. */
  clog(): void {
    this.#clogged = true;
  }

  /** Lets go what was held, each connection's in the order in which it was sent. */
  unclog(): void {
    this.#clogged = false;
    for (const { ways } of this.#pairs) for (const way of ways) way.goOn();
  }

  #take(near: Socket): void {
    const far = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair: Pair = { near, far, ways: [] };
    this.#pairs.add(pair);
    // What was lost on the way leaves a gap, and nothing that follows a gap can be read.
    let lost = this.#hole;
    let open = 2;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const way = new Way(() => this.#clogged);
      pair.ways.push(way);
      const later = (then: () => void): void => {
        if (this.#hole) lost = true;
        if (lost) return;
        way.send(this.#spell(), () => {
          if (this.#hole) lost = true;
          if (!lost) then();
        });
      };
      from.on('error', () => {});
      from.on('data', (bytes: Buffer) => later(() => to.write(bytes)));
      from.once('end', () => later(() => to.end()));
      from.once('close', () => {
        open -= 1;
        if (open === 0) this.#pairs.delete(pair);
        later(() => to.destroy());
      });
    }
  }

  /** How long one piece takes, milliseconds. */
  #spell(): number {
    const { delayMs, jitterMs, loss } = this.weather;
    let spell = delayMs + jitterMs * this.#rng.next();
    for (let again = RESEND_MS; loss > 0 && this.#rng.chance(loss) && again < 60_000; again *= 2)
      spell += again;
    return spell;
  }
}

/** One direction: what was sent first arrives first. */
class Way {
  readonly #queue: { readonly dueAt: number; readonly arrive: () => void }[] = [];
  readonly #isClogged: () => boolean;
  #timer: NodeJS.Timeout | null = null;

  constructor(isClogged: () => boolean) {
    this.#isClogged = isClogged;
  }

  send(spellMs: number, arrive: () => void): void {
    const last = this.#queue.at(-1)?.dueAt ?? 0;
    this.#queue.push({ dueAt: Math.max(last, performance.now() + spellMs), arrive });
    this.goOn();
  }

  /** What is due arrives, unless it is clogged. */
  goOn(): void {
    if (this.#timer === null) this.#next();
  }

  #next(): void {
    this.#timer = null;
    if (this.#isClogged()) return;
    for (let [first] = this.#queue; first !== undefined; [first] = this.#queue) {
      const waitMs = first.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#next(), waitMs);
        return;
      }
      this.#queue.shift();
      first.arrive();
    }
  }
}
