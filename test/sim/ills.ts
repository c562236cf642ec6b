/** What may be wrong with a virtual machine, besides what stops it: it fills, hangs, breaks attempts, loses its tmux. */
import type { Token } from '../../src/model/ids.ts';
import type { JournalFact } from '../../src/protocol/messages.ts';
import type { DiskLook } from '../../src/schedule/health.ts';
import type { Rng } from './rng.ts';

const MIB = 2 ** 20;
const NOBODY = '0'.repeat(32) as Token;

export class Ills {
  readonly #rng: Rng;
  readonly #tell: (fact: JournalFact) => void;
  readonly #looked: () => void;
  /** Nothing that is ordered here can be started. */
  faulty = false;
  #full = false;
  #stuck = false;
  #lost: 'server' | 'socket' | null = null;

  /** @param looked the controller that is connected sees the disk as it is now. */
  constructor(rng: Rng, { tell, looked }: { tell: (fact: JournalFact) => void; looked: () => void }) {
    this.#rng = rng;
    this.#tell = tell;
    this.#looked = looked;
  }

  /** Nothing more can be written. */
  get full(): boolean {
    return this.#full;
  }

  get disk(): DiskLook {
    const free = this.#full ? 10 * MIB : 10_000 * MIB;
    return { free, total: 20_000 * MIB, files: null, reserve: { bytes: 256 * MIB, files: 2000 } };
  }

  /** @returns what it is now. */
  befall(): string {
    switch (this.#rng.int(5)) {
      case 0:
        this.#full = true;
        this.#looked();
        return 'full';
      case 1:
        if (!this.#stuck) this.#tell({ type: 'stuck.seen', token: NOBODY, pids: [7], forMs: 60_000 });
        this.#stuck = true;
        return 'stuck';
      case 2:
      case 3:
        this.faulty = true;
        return 'faulty';
      default:
        if (this.#lost === null) this.#loseTmux(this.#rng.pick(['server', 'socket'] as const));
        return 'without tmux';
    }
  }

  #loseTmux(what: 'server' | 'socket'): void {
    this.#lost = what;
    this.#tell({ type: 'tmux.lost', what, detail: 'gone' });
  }

  /** A repair helps, or does not. */
  mend(by: 'sweep' | 'restart'): void {
    if (this.#rng.chance(0.5)) return;
    if (by === 'sweep') {
      this.#full = false;
      return this.#looked();
    }
    this.faulty = false;
  }

  /** Everything is well again. */
  recover(): void {
    this.faulty = false;
    this.pass();
  }

  /** Most of it passes by itself; a machine that breaks what it is given goes on so until it is restarted. */
  pass(): void {
    if (this.#stuck) this.#tell({ type: 'stuck.gone', token: NOBODY, left: 0 });
    if (this.#lost !== null) this.#tell({ type: 'tmux.mended', what: this.#lost, detail: 'back' });
    this.#stuck = false;
    this.#lost = null;
    this.#full = false;
    this.#looked();
  }

  /** Another boot: what hung in the old kernel is gone, and the next supervisor says so. */
  reboot(): void {
    if (this.#stuck) this.#tell({ type: 'stuck.gone', token: NOBODY, left: 0 });
    this.wipe();
  }

  /** Nobody is left to say anything. */
  wipe(): void {
    this.#stuck = false;
    this.#lost = null;
  }
}
