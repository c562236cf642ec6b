/**
 * Whether the supervisor at the other end of a socket does anything, as whoever asks it something can tell. One that has
 * been stopped, or hangs, still takes connections (its kernel does), so everybody would wait for it for ever. It may be
 * killed at any moment without harm: attempts do not notice, and the next one adopts them. So it is, when it has stood
 * for a while with a question before it, or has said nothing for long, whatever it does instead.
 */
import { appendFileSync } from 'node:fs';
import { readIfThere } from './durable.ts';
import { isStopped, startTime } from './host.ts';
import type { Root } from './root.ts';

/** How often is looked before a supervisor that was stopped is ended. */
const LOOKS = 10;
/** One that runs and says nothing is waited for so many times as long: on a busy machine it may need its time. */
const HUNG = 12;

export interface SilenceOptions {
  readonly root: Root;
  /** How long a stopped one may leave a question unanswered, milliseconds. */
  readonly stoppedMs: number;
  /** Nothing is read from it at this moment, so it cannot be heard. */
  readonly isHeld: () => boolean;
  /** It was killed and its end does not come: the kernel holds it. */
  readonly giveUp: () => void;
}

export class Silence {
  readonly #options: SilenceOptions;
  readonly #timer: NodeJS.Timeout;
  #asks = false;
  #killed = false;
  /** Looks in a row with a question open, and those that found it stopped. Counted, not timed: this process may have been stopped itself. */
  #silent = 0;
  #stopped = 0;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), options.stoppedMs / LOOKS);
  }

  /** Something was said to it that it answers. */
  asked(): void {
    this.#asks = true;
  }

  heard(): void {
    this.#asks = false;
    this.#silent = 0;
    this.#stopped = 0;
  }

  over(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { root, isHeld } = this.#options;
    if (!this.#asks || isHeld()) return;
    this.#silent += 1;
    this.#stopped = isSupervisorStopped(root) ? this.#stopped + 1 : 0;
    if (this.#stopped >= LOOKS) this.#end(`was stopped for ${this.#secondsOf(this.#stopped)} s`);
    else if (this.#silent >= LOOKS * HUNG)
      this.#end(`has not answered for ${this.#secondsOf(this.#silent)} s`);
  }

  #end(why: string): void {
    if (this.#killed) return this.#options.giveUp();
    this.#killed = true;
    this.#silent = 0;
    this.#stopped = 0;
    endSupervisor(this.#options.root, why);
  }

  #secondsOf(looks: number): number {
    return Math.round((looks * this.#options.stoppedMs) / LOOKS / 1000);
  }
}

/** True when there is one and it stands still. */
export function isSupervisorStopped(root: Root): boolean {
  const pid = supervisorOf(root);
  return pid !== null && isStopped(pid);
}

/** Kills it; what it was at is done again by the next. @param why goes into its log, with what was done. */
export function endSupervisor(root: Root, why: string): void {
  const pid = supervisorOf(root);
  if (pid === null) return;
  try {
    process.kill(pid, 'SIGKILL');
    const line = `${new Date().toISOString()} rpc: the supervisor (process ${pid}) ${why}, and was ended for another one\n`;
    appendFileSync(`${root.run}/supervisor.log`, line);
  } catch {
    // It has ended meanwhile, or the disk is full and the log goes without it.
  }
}

/** Process id of the supervisor that has noted itself and lives. */
function supervisorOf(root: Root): number | null {
  const [pid = '', , , , , start] = (readIfThere(`${root.run}/supervisor`) ?? '').split('\n');
  return Number(pid) > 1 && startTime(Number(pid)) === start ? Number(pid) : null;
}
