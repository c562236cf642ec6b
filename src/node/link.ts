/**
 * The controller's hand on one node: a long-lived stream that comes back by itself.
 *
 * Each life: connect, ship, hello, inventory, subscribe from the cursor; then calls and pushed news until the stream
 * ends. A call that fails says nothing about what happened on the node: the caller asks again with the same token.
 * Order of callbacks: onUp, then any onNews of this life, then onDown; onNews gives each journal entry once.
 */
import type { ErrorCode } from '../model/codes/index.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId, ProjectName, Token } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { Clock } from '../model/time.ts';
import type { InventoryEntry, JournalEntry, Replies, Request, Welcome } from '../protocol/messages.ts';
import { BACKOFF, type BackoffLimits, waitBefore } from './backoff.ts';
import { chooseTransport } from '../transport/choose.ts';
import { readLog } from './follow-log.ts';
import { KNOCK, opensAgain } from './knock.ts';
import { type OpenOptions, openSession } from './open-session.ts';
import type { NodeProgram } from './program.ts';
import {
  type CallOptions,
  disconnected,
  type RequestOf,
  type Session,
  SESSION_TIMINGS,
  type SessionTimings,
} from './session.ts';
import { getBundle, putBundle } from './transfer.ts';

export interface Cursor {
  /** Id of the journal that `seq` counts in; null before the first one. */
  readonly journal: string | null;
  /** Highest entry that is applied durably. */
  readonly seq: number;
}

export interface LinkOptions {
  readonly config: NodeConfig;
  readonly epoch: number;
  /** Names this controller to the node, for its records. */
  readonly controller: string;
  readonly program: NodeProgram;
  readonly cursor: () => Cursor;
  readonly onUp: (welcome: Welcome, inventory: readonly InventoryEntry[]) => void;
  /** After `wake`: the link that was up has answered. */
  readonly onAlive?: () => void;
  /** The link that was up is down now. Attempts on the node go on. */
  readonly onDown: (problem: DispatchError) => void;
  /** Entries in order, each one once; `journal` is the id they count in. */
  readonly onNews: (journal: string, entries: readonly JournalEntry[]) => void;
  /** A connection could not be made; it is tried again in `retryMs`. */
  readonly onTrouble?: (problem: DispatchError, retryMs: number) => void;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly timings?: Partial<SessionTimings>;
  readonly backoff?: Partial<BackoffLimits>;
}

export type LinkState =
  | { readonly is: 'stopped' }
  /** `tries`: failures in a row so far. */
  | { readonly is: 'connecting'; readonly since: number; readonly tries: number }
  | { readonly is: 'up'; readonly since: number; readonly welcome: Welcome; readonly via: string }
  /** `until` and all `since`: wall clock, milliseconds. */
  | {
      readonly is: 'waiting';
      readonly until: number;
      readonly tries: number;
      readonly problem: DispatchError;
    };

/** What to wait before the next life, milliseconds, and why. */
interface Rest {
  readonly waitMs: number;
  readonly problem: DispatchError;
}

/** Problems of the way to the machine, not of the machine. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['E_NODE_UNREACHABLE', 'E_NODE_TIMEOUT', 'E_NODE_DISCONNECTED']);

/** Those of a login to which the server has said nothing, as far as can be told. */
const SHUT: ReadonlySet<ErrorCode> = new Set(['E_NODE_UNREACHABLE', 'E_NODE_TIMEOUT']);

/** A link that lived so long was good: after a cut it is tried again at once. */
const GOOD_MS = 5000;

export class NodeLink {
  readonly #options: LinkOptions;
  readonly #timings: SessionTimings;
  readonly #backoff: BackoffLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #delivered: { journal: string | null; seq: number } = { journal: null, seq: 0 };
  #state: LinkState = { is: 'stopped' };
  #session: Session | null = null;
  #stop: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();
  #wakeEarly: () => void = () => {};
  #changed: () => void = () => {};
  #change: Promise<void>;
  #total = 0;
  #auth = 0;
  /** The last pause ended because the machine was seen to be back. */
  #seenBack = false;
  /** It ended so by the server's first word alone, after a login that heard none. */
  #trusted = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#timings = { ...SESSION_TIMINGS, ...options.timings };
    this.#backoff = { ...BACKOFF, ...options.backoff };
    this.#clock = options.clock ?? { wall: () => Date.now(), mono: () => performance.now() };
    this.#random = options.random ?? Math.random;
    this.#change = new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Begins to connect, and keeps connecting until `stop`. Harmless when started already. */
  start(): void {
    if (this.#stop !== null) return;
    const stop = new AbortController();
    this.#stop = stop;
    const before = this.#running;
    this.#running = before.then(() => this.#live(stop.signal));
  }

  /** Lets go of the node; what runs there goes on. Settles when no process, socket or timer is left. */
  async stop(): Promise<void> {
    const stop = this.#stop;
    this.#stop = null;
    stop?.abort();
    this.#wakeEarly();
    await this.#running;
  }

  /** Does not wait for the back-off to end: somebody knows that the node is back (a laptop woke, a person asks). */
  retryNow(): void {
    this.#wakeEarly();
  }

  /**
   * This machine slept. A link that was up must answer soon, or is made anew; one that was waiting is tried at once,
   * unless the server asked for patience, which a nap does not buy.
   */
  wake(): void {
    this.#total = 0;
    const state = this.#state;
    if (state.is === 'waiting' && state.problem.code !== 'E_SSH_AUTH') this.#wakeEarly();
    const session = this.#session;
    if (session === null) return;
    void session.prove(this.#timings.proveMs).then((alive) => {
      if (alive && this.#session === session) this.#options.onAlive?.();
    });
  }

  /**
   * Asks the node. Never waits for a link that is down.
   * @throws NodeRefusal when the node says no; DispatchError E_NODE_DISCONNECTED or E_NODE_TIMEOUT when it is unknown
   * what happened.
   */
  call<Op extends Request['op']>(request: RequestOf<Op>, options: CallOptions = {}): Promise<Replies[Op]> {
    if (this.#session === null) return Promise.reject(this.#noLink());
    return this.#session.call(request, options);
  }

  /** Sends a git bundle into the project's mirror. @throws as `call`. */
  async putBundle(project: ProjectName, commits: readonly CommitId[], file: string): Promise<void> {
    if (this.#session === null) throw this.#noLink();
    const order = { project, commits, epoch: this.#options.epoch };
    await putBundle(this.#session, this.#timings, order, file);
  }

  /** Fetches an attempt's result into `file` and returns the commit it holds. @throws as `call`, and the file's own errors. */
  async getBundle(token: Token, have: readonly CommitId[], file: string): Promise<CommitId> {
    if (this.#session === null) throw this.#noLink();
    return getBundle(this.#session, this.#timings, { op: 'bundle.get', token, have }, file);
  }

  /**
   * The attempt's log from byte `from`. With `follow` it goes on until the attempt ends or `signal` is aborted, across
   * lost connections. Without, @throws as `call`.
   */
  async *followLog(
    token: Token,
    from: number,
    follow: boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer> {
    let at = from;
    while (signal?.aborted !== true) {
      const session = follow ? await this.#nextSession(signal) : this.#session;
      if (session === null) {
        if (follow) return;
        throw this.#noLink();
      }
      try {
        const part = readLog(session, token, at, follow, signal);
        for (;;) {
          const { done, value } = await part.next();
          if (done === true) {
            if (value === 'ended') return;
            break;
          }
          at += value.length;
          let taken = false;
          try {
            yield value;
            taken = true;
          } finally {
            // A consumer that leaves its loop must not leave the request behind.
            if (!taken) await part.return('ended');
          }
        }
      } catch (error) {
        if (!follow || session.over === null) throw error;
      }
    }
  }

  async #live(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const rest = await this.#once(stop);
      if (rest.waitMs > 0 && !stop.aborted) await this.#pause(rest);
    }
    this.#enter({ is: 'stopped' });
  }

  /** One life of the link. */
  async #once(stop: AbortSignal): Promise<Rest> {
    const { config, epoch, controller, program } = this.#options;
    this.#enter({ is: 'connecting', since: this.#clock.wall(), tries: this.#total });
    let upAt: number | null = null;
    let problem: DispatchError;
    try {
      const opened = await openSession({
        ...this.#turn(),
        config,
        epoch,
        controller,
        program,
        timings: this.#timings,
        signal: stop,
      });
      const { session, welcome } = opened;
      const letGo = (): void => session.end(disconnected(config.name, 'it was let go'));
      stop.addEventListener('abort', letGo, { once: true });
      if (stop.aborted) letGo();
      try {
        await this.#adopt(session, welcome, opened.choice.transport.describe());
        upAt = this.#clock.mono();
      } catch (error) {
        session.end(asProblem(config.name, error));
      }
      problem = await session.closed;
      stop.removeEventListener('abort', letGo);
    } catch (error) {
      problem = asProblem(config.name, error);
    }
    this.#session = null;
    const livedMs = upAt === null ? null : this.#clock.mono() - upAt;
    const waitMs = stop.aborted ? 0 : this.#afterwards(problem, livedMs);
    if (livedMs !== null) this.#options.onDown(problem);
    else if (!stop.aborted) this.#options.onTrouble?.(problem, waitMs);
    return { waitMs, problem };
  }

  /** Which turn it gets: one that failed before waits behind its like, unless it is seen to be back. */
  #turn(): Pick<OpenOptions, 'lane' | 'hurry' | 'onTurn'> {
    const back = this.#seenBack;
    this.#seenBack = false;
    if (this.#total <= 1 || back) return { lane: 'fresh' };
    const [hurry, turn] = [new AbortController(), new AbortController()];
    void this.#watch(turn.signal, false).then((seen) => {
      if (seen) hurry.abort();
    });
    return { lane: 'failing', hurry: hurry.signal, onTurn: () => turn.abort() };
  }

  /** Inventory and subscription in one round trip; from here on the link is up. */
  async #adopt(session: Session, welcome: Welcome, via: string): Promise<void> {
    const { journal } = welcome;
    const inventory = session.call({ op: 'inventory' });
    const subscribed = session.call({ op: 'subscribe', from: this.#subscribeFrom(journal) });
    const [{ entries }] = await Promise.all([inventory, subscribed]);
    if (session.over !== null) throw session.over;
    this.#session = session;
    this.#enter({ is: 'up', since: this.#clock.wall(), welcome, via });
    this.#options.onUp(welcome, entries);
    session.onNews((news) => this.#deliver(journal, news));
  }

  /** What the controller has durably, or what it was given in this process if that is more: nothing is given twice. */
  #subscribeFrom(journal: string): number {
    const cursor = this.#options.cursor();
    const durable = cursor.journal === journal ? cursor.seq : 0;
    const given = this.#delivered.journal === journal ? this.#delivered.seq : 0;
    this.#delivered.journal = journal;
    this.#delivered.seq = Math.max(durable, given);
    return this.#delivered.seq;
  }

  #deliver(journal: string, news: readonly JournalEntry[]): void {
    const fresh = news.filter((entry) => {
      if (entry.seq <= this.#delivered.seq) return false;
      this.#delivered.seq = entry.seq;
      return true;
    });
    if (fresh.length > 0) this.#options.onNews(journal, fresh);
  }

  #afterwards(problem: DispatchError, livedMs: number | null): number {
    if (livedMs !== null && livedMs >= GOOD_MS) {
      this.#total = 0;
      this.#auth = 0;
      this.#enter({ is: 'connecting', since: this.#clock.wall(), tries: 0 });
      return 0;
    }
    this.#total += 1;
    if (livedMs !== null) this.#auth = 0;
    if (problem.code === 'E_SSH_AUTH') this.#auth += 1;
    const failures = { total: this.#total, auth: this.#auth };
    const waitMs = waitBefore(failures, this.#random(), this.#backoff);
    this.#enter({ is: 'waiting', until: this.#clock.wall() + waitMs, tries: this.#total, problem });
    return waitMs;
  }

  /** Until the back-off is over, the machine is seen to be back, or somebody knows better. */
  async #pause({ waitMs, problem }: Rest): Promise<void> {
    const over = new AbortController();
    // A server that speaks and lets nobody in is tried at once only the first time.
    const wasShut = SHUT.has(problem.code) && !this.#trusted;
    this.#trusted = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wakeEarly = () => {
        clearTimeout(timer);
        resolve();
      };
      if (waitMs <= KNOCK.everyMs || !AWAY.has(problem.code)) return;
      void this.#watch(over.signal, wasShut).then((seen) => {
        if (!seen) return;
        this.#seenBack = true;
        this.#trusted = wasShut;
        this.#wakeEarly();
      });
    });
    over.abort();
    this.#wakeEarly = () => {};
  }

  /** True when the machine is seen to be back before `over`. */
  async #watch(over: AbortSignal, wasShut: boolean): Promise<boolean> {
    const choice = await chooseTransport(this.#options.config).catch(() => null);
    const door = choice?.transport.door ?? null;
    return door !== null && (await opensAgain(door, over, { wasShut }));
  }

  #enter(state: LinkState): void {
    this.#state = state;
    const changed = this.#changed;
    this.#change = new Promise((resolve) => {
      this.#changed = resolve;
    });
    changed();
  }

  /** The session that is up, as soon as there is one; null when the link is stopped or the caller gives up. */
  async #nextSession(signal: AbortSignal | undefined): Promise<Session | null> {
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    while (signal?.aborted !== true && this.#stop !== null) {
      if (this.#session !== null && this.#session.over === null) return this.#session;
      await Promise.race([this.#change, aborted]);
    }
    return null;
  }

  #noLink(): DispatchError {
    const { name } = this.#options.config;
    const state = this.#state;
    return new DispatchError('E_NODE_DISCONNECTED', `there is no connection to ${name} now`, {
      where: name,
      ...(state.is === 'waiting' ? { why: state.problem.message, cause: state.problem } : {}),
    });
  }
}

function asProblem(name: string, error: unknown): DispatchError {
  if (error instanceof DispatchError) return error;
  return new DispatchError(
    'E_NODE_DISCONNECTED',
    `${name}: ${error instanceof Error ? error.message : String(error)}`,
    {
      where: name,
      cause: error,
    },
  );
}
