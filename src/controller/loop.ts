/**
 * Drives the core: gathers inputs, takes a turn, commits its events in one durable transaction, and only then lets the
 * effects go. While a commit is under way further inputs gather, so under load events commit in groups by themselves.
 */
import { DispatchError } from '../model/error.ts';
import type { Event, NewEvent } from '../model/event.ts';
import type { Clock } from '../model/time.ts';
import type { Lease, Store } from '../store/port.ts';
import type { Reply } from './commands.ts';
import type { Core } from './core.ts';
import type { Command, Effect, Input } from './door.ts';

export interface LoopOptions {
  readonly core: Core;
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Performs an effect and answers with its result; never throws. */
  readonly perform: (effect: Effect) => Promise<Input>;
  /** Events that have just become durable, in order. */
  readonly onEvents: (events: readonly Event[]) => void;
  /** The disk is full: nothing is dispatched until there is space. Null: the last commit went through. */
  readonly onNoSpace: (error: DispatchError | null) => void;
  /** A turn is over and its events are durable. */
  readonly onTurn: () => void;
  /** The loop has stopped: superseded by another controller, out of disk space, or a defect. */
  readonly onStopped: (error: unknown) => void;
}

interface Asked {
  readonly command: Command;
  readonly answer: (reply: Reply) => void;
  readonly fail: (error: unknown) => void;
}

/** Between two tries to commit on a full disk, milliseconds. */
const NO_SPACE_RETRY = 2_000;
/** Longest span that a timer is set for; Node's own limit is 2^31 ms. */
const MAX_TIMER = 60 * 60_000;

export class Loop {
  readonly #options: LoopOptions;
  #inputs: Input[] = [];
  #asked: Asked[] = [];
  #turning = false;
  #scheduled = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  #idle: (() => void)[] = [];
  #endPause: () => void = () => undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Hands in what happened; a turn follows soon. After a stop it is ignored. */
  push(input: Input): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    this.#schedule();
  }

  /** Asks for a command; resolves when what it recorded is durable. */
  ask(command: Command): Promise<Reply> {
    if (this.#stopped) return Promise.reject(new DispatchError('E_INTERNAL', 'the controller has stopped'));
    return new Promise((answer, fail) => {
      this.#asked.push({ command, answer, fail });
      this.#schedule();
    });
  }

  /** Takes no further turn. Resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#endPause();
    if (this.#turning) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#turning || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#turning || this.#stopped) return;
    this.#turning = true;
    try {
      while (!this.#stopped && (this.#inputs.length > 0 || this.#asked.length > 0)) await this.#turn();
    } catch (error) {
      this.#stopped = true;
      for (const { fail } of this.#asked.splice(0)) fail(error);
      this.#options.onStopped(error);
    } finally {
      this.#turning = false;
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #turn(): Promise<void> {
    const { core, clock, onEvents } = this.#options;
    const asked = this.#asked.splice(0);
    const inputs = this.#inputs.splice(0);
    for (const { command } of asked) inputs.push({ is: 'command', command });
    try {
      const { events, effects, replies, wakeAt } = core.turn(inputs, clock.wall());
      if (events.length > 0) {
        const last = await this.#commit(events);
        if (last === null) return;
        const first = last - events.length + 1;
        onEvents(events.map((event, index) => ({ ...event, seq: first + index })));
      }
      asked.forEach(({ answer }, index) => answer(replies[index] ?? { ok: true, notes: [] }));
      for (const effect of effects) this.#perform(effect);
      this.#wake(wakeAt);
      this.#options.onTurn();
    } catch (error) {
      for (const { fail } of asked) fail(error);
      throw error;
    }
  }

  /**
   * Commits, however long it takes: on a full disk nothing was written, no effect has gone out and no other turn is
   * taken, so the same events are tried again until there is space. Null when the loop was stopped meanwhile.
   */
  async #commit(events: readonly NewEvent[]): Promise<number | null> {
    const { core, store, lease, onNoSpace } = this.#options;
    for (;;) {
      try {
        const last = await store.commit(lease, events, core.state);
        onNoSpace(null);
        return last;
      } catch (error) {
        if (!(error instanceof DispatchError) || error.code !== 'E_NO_SPACE') throw error;
        onNoSpace(error);
        await this.#pause(NO_SPACE_RETRY);
        if (this.#stopped) return null;
      }
    }
  }

  #pause(span: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, span);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #perform(effect: Effect): void {
    this.#options.perform(effect).then(
      (input) => this.push(input),
      (error: unknown) => {
        this.push({
          is: 'effect.failed',
          key: effect.key,
          problem: { code: 'E_INTERNAL', message: String(error) },
        });
      },
    );
  }

  #wake(at: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (at === null) return;
    const span = Math.min(MAX_TIMER, Math.max(1, at - this.#options.clock.wall()));
    this.#timer = setTimeout(() => this.push({ is: 'tick' }), span);
  }
}
