/**
 * Processes that outlive SIGKILL: they hang in the kernel, mostly in a file system that does not answer, and hold files,
 * memory and locks. Their attempt has ended without them. After a minute the journal says so, and again when they are
 * gone. What is known is in a file, so that another supervisor goes on watching.
 */
import type { Token } from '../src/model/ids.ts';
import type { JournalFact } from '../src/protocol/messages.ts';
import { readIfThere, replaceFile } from './durable.ts';
import { monotonicMs, startTime } from './host.ts';

export interface StuckOptions {
  /** Where what was told is kept. */
  readonly file: string;
  readonly tell: (fact: JournalFact) => void;
  /** Milliseconds after SIGKILL from which it is told. */
  readonly afterMs?: number;
  readonly everyMs?: number;
}

interface Stuck {
  readonly token: Token;
  /** Process id and start time: a later process with that number is another one. */
  readonly processes: readonly (readonly [pid: number, start: string])[];
}

const AFTER_MS = 60_000;
const EVERY_MS = 5_000;

export class StuckWatch {
  readonly #options: Required<StuckOptions>;
  readonly #waiting = new Map<Stuck, number>();
  #told: Stuck[];
  #timer: NodeJS.Timeout | null = null;

  constructor(options: StuckOptions) {
    this.#options = { afterMs: AFTER_MS, everyMs: EVERY_MS, ...options };
    this.#told = JSON.parse(readIfThere(options.file) ?? '[]') as Stuck[];
    if (this.#told.length > 0) this.#wake();
  }

  /** @param killedMs how long ago these were killed. */
  watch(token: Token, pids: readonly number[], killedMs: number): void {
    const processes = pids.flatMap((pid) => {
      const start = startTime(pid);
      return start === null ? [] : [[pid, start] as const];
    });
    if (processes.length === 0) return;
    this.#waiting.set({ token, processes }, monotonicMs() - killedMs);
    this.#wake();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    this.#timer ??= setInterval(() => this.#look(), this.#options.everyMs).unref();
  }

  #look(): void {
    const { tell, afterMs, file } = this.#options;
    const gone = this.#told.filter((stuck) => livesOf(stuck).length === 0);
    const facts: JournalFact[] = [];
    let told = this.#told.filter((stuck) => !gone.includes(stuck));
    for (const { token } of gone) facts.push({ type: 'stuck.gone', token, left: told.length });
    for (const [stuck, since] of this.#waiting) {
      const pids = livesOf(stuck);
      const forMs = monotonicMs() - since;
      if (pids.length > 0 && forMs < afterMs) continue;
      this.#waiting.delete(stuck);
      if (pids.length === 0) continue;
      facts.push({ type: 'stuck.seen', token: stuck.token, pids, forMs });
      told = [...told, stuck];
    }
    // What is told and not remembered would never be taken back; the other way it is taken back once too often.
    const kept = [...new Set([...this.#told, ...told])];
    if (facts.length > 0) replaceFile(file, JSON.stringify(kept));
    for (const fact of facts) tell(fact);
    if (gone.length > 0) replaceFile(file, JSON.stringify(told));
    this.#told = told;
    if (told.length === 0 && this.#waiting.size === 0) this.stop();
  }
}

function livesOf({ processes }: Stuck): number[] {
  return processes.filter(([pid, start]) => startTime(pid) === start).map(([pid]) => pid);
}
