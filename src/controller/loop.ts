/**
 * Drives the core: gathers inputs, takes a turn, commits its events in one durable transaction, and only then lets the
 * effects go. While a commit is under way further inputs gather, so under load events commit in groups by themselves.
 * What the state or the store refuses is put aside (see `unfit`), and the turn is taken without it.
 */
import { DispatchError } from '../model/error.ts';
import type { Event, NewEvent } from '../model/event.ts';
import type { Clock } from '../model/time.ts';
import type { Lease, Store } from '../store/port.ts';
import type { Reply } from './commands.ts';
import type { Core, TurnResult } from './core.ts';
import type { Command, Effect, Input } from './door.ts';
import { inPlaceOf, partsOf, STEPS, UnfitTurn } from './unfit.ts';

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
  /** Keeps an input that cannot be applied, for a person. @returns where. */
  readonly onAside: (input: Input, why: Error) => string;
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

/** What a turn is to take in, and who waits for what becomes of it. */
interface Waiting {
  readonly input: Input;
  readonly asked?: Asked;
  /** Is there in the place of what was put aside: it is not replaced again. */
  readonly instead?: true;
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
  /** What ended it, when it did not stop in order. */
  #ended: unknown = null;
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

  /** Asks for a command; resolves when what it recorded is durable. @throws what ended the turns, now or before. */
  ask(command: Command): Promise<Reply> {
    if (this.#stopped)
      return Promise.reject(
        this.#ended ?? new DispatchError('E_CONTROLLER_GONE', 'the controller has stopped'),
      );
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
      this.#ended = error;
      for (const { fail } of this.#asked.splice(0)) fail(error);
      this.#options.onStopped(error);
    } finally {
      this.#turning = false;
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #turn(): Promise<void> {
    const asked = this.#asked.splice(0);
    const inputs = this.#inputs.splice(0);
    const waiting: Waiting[] = inputs.map((input) => ({ input }));
    for (const one of asked) waiting.push({ input: { is: 'command', command: one.command }, asked: one });
    try {
      await this.#take(waiting);
    } catch (error) {
      for (const { fail } of asked) fail(error);
      throw error;
    }
  }

  /** One turn, or more where some of it cannot be applied; each time with less of it, or without a step. */
  async #take(waiting: readonly Waiting[]): Promise<void> {
    const { core, store, onEvents, onTurn } = this.#options;
    const done = await this.#tryTurn(waiting);
    if (done === null) return;
    if (done instanceof Error) {
      core.again(await store.load());
      for (const less of this.#without(waiting, done)) if (!this.#stopped) await this.#take(less);
      return;
    }
    const { events, effects, replies, wakeAt, last } = done;
    const first = last - events.length + 1;
    if (events.length > 0) onEvents(events.map((event, index) => ({ ...event, seq: first + index })));
    const asked = waiting.flatMap((one) => one.asked ?? []);
    asked.forEach(({ answer }, index) => answer(replies[index] ?? { ok: true, notes: [] }));
    for (const effect of effects) this.#perform(effect);
    this.#wake(wakeAt);
    onTurn();
  }

  /** @returns what is durable now and is to be done; the error when state or store refuse it; null: stopped meanwhile. */
  async #tryTurn(
    waiting: readonly Waiting[],
  ): Promise<(TurnResult & { readonly last: number }) | Error | null> {
    const { core, clock } = this.#options;
    try {
      const inputs = waiting.map(({ input }) => input);
      const result = core.turn(inputs, clock.wall());
      const last = result.events.length === 0 ? 0 : await this.#commit(result.events);
      return last === null ? null : { ...result, last };
    } catch (error) {
      if (error instanceof Error && isDefect(error)) return error;
      throw error;
    }
  }

  /** What is to be taken instead, turn by turn. */
  #without(waiting: readonly Waiting[], error: Error): (readonly Waiting[])[] {
    const { core } = this.#options;
    if (error instanceof UnfitTurn && 'step' in error.culprit) {
      core.leaveOut(error.culprit.step, error.message);
      return [waiting];
    }
    if (error instanceof UnfitTurn && 'input' in error.culprit) {
      const { input: number } = error.culprit;
      return [waiting.flatMap((one, index) => (index === number ? this.#replace(one, error) : one))];
    }
    // The store refuses what came of it: each is tried by itself.
    if (waiting.length > 1) return waiting.map((one) => [one]);
    if (waiting.some(({ input }) => input.is !== 'tick'))
      return [waiting.flatMap((one) => this.#replace(one, error))];
    for (const step of STEPS) core.leaveOut(step, error.message);
    return [waiting];
  }

  #replace({ input, asked, instead }: Waiting, error: Error): Waiting[] {
    const parts = partsOf(input);
    if (parts !== null) return parts.map((part) => ({ input: part }));
    const file = this.#options.onAside(input, error);
    asked?.fail(
      new DispatchError('E_UNFIT', `the state refuses what was asked for: ${error.message}`, {
        why: `it is kept in ${file}`,
        fix: 'dispatch replay --check',
      }),
    );
    if (instead === true) return [];
    return inPlaceOf(input, error.message, file).map((one) => ({ input: one, instead: true as const }));
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

/** What the machine does, and another controller, is none of what was to be taken in. */
function isDefect(error: Error): boolean {
  return !(error instanceof DispatchError) || error.code === 'E_INTERNAL';
}
