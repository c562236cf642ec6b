/**
 * All attempts of this node that are not forgotten, and the engine that moves them on. An attempt advances when
 * something has happened to it: it was ordered or adopted, launch.sh said that a step has ended, its time is up, it was
 * cancelled, or its processes are gone. Each advances alone and one call at a time; an error in one ends that one.
 */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { callOf } from '../src/executors/kinds.ts';
import { isRead } from '../src/executors/outcome.ts';
import type { ExecutorDef } from '../src/model/executor.ts';
import type { Outcome } from '../src/model/attempt.ts';
import type { ProjectName, TaskId, Token } from '../src/model/ids.ts';
import type { InventoryEntry, JournalEntry, JournalFact } from '../src/protocol/messages.ts';
import type { AttemptOrder } from '../src/protocol/order.ts';
import { PROTOCOL } from '../src/protocol/version.ts';
import { advance, type AdvanceLine } from './advance.ts';
import { claim } from './claim.ts';
import { type Desk, type Interrupt, sessionOf, type Stand } from './desk.ts';
import { sizeOf } from './ends.ts';
import { monotonicMs, readBootId } from './host.ts';
import type { Journal } from './journal.ts';
import { askToEnd, GRACE_MS, groupLives, killAll, leads, type Suspect } from './processes.ts';
import type { Program } from './program.ts';
import { isPlain, type Recorded, writeCancel, writeResult } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { diskOf } from './disk-watch.ts';
import type { FullDisk } from './full-disk.ts';
import { isNoSpace } from './no-space.ts';
import { type EndedBy, endStep, preempt, stepEnd, stepPid } from './step.ts';
import type { StuckWatch } from './stuck.ts';
import type { Tmux } from './tmux.ts';

/** One attempt in memory: what must be at hand. The order's texts stay in its file. */
export interface Entry {
  readonly token: Token;
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly n: number;
  readonly kind: 'work' | 'gate';
  /** How what its agent prints is understood; null: it has none. */
  readonly agent: AgentSeen | null;
  /** Tokens that its agent may report; null: any number. */
  readonly limitTokens: number | null;
  /** Bytes that its agent's files may take; null: nothing is looked at. */
  readonly diskBytes: number | null;
  /** Its agent prints events: one that has said its last word and stays can be told. */
  readonly isRead: boolean;
  /** Silence after which a stall is told, milliseconds; null: nobody wants to know. */
  readonly stallMs: number | null;
  /** Silence after that word, milliseconds; null: the node's own. */
  readonly hangMs: number | null;
  readonly plain: boolean;
  readonly logCapBytes: number;
  /** The program that must take it on, when it is not this one. */
  readonly foreign: string | null;
  outcome: Outcome | null;
  /** Step that runs; null while the supervisor itself is at work on it, and after the end. */
  step: string | null;
  stepSince: number;
  /** When the attempt began, or was adopted in a later boot; monotonic milliseconds. */
  readonly since: number;
  interrupt: Interrupt | null;
  /** `advance` is running. */
  busy: boolean;
  /** Something happened while it ran. */
  again: boolean;
  /** Its step is being ended; called when the step's record has come. */
  stopping: (() => void) | null;
  deadline: NodeJS.Timeout | null;
  limit: NodeJS.Timeout | null;
  /** A plain attempt's only step is told only when it lasts. */
  untold: boolean;
}

export type AgentSeen = Pick<ExecutorDef, 'kind' | 'call'> & {
  /** Variables that hold keys. */
  readonly secrets: readonly string[];
};

/** A step that was asked for and has no process after this long is looked for by name. */
const BEGIN_MS = 5000;
/** setTimeout takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** A background child of a plain step is looked for once, this long after its end: launch.sh has left by then. */
const LEFTOVER_MS = 1000;
/** Between two tries to write on a full disk. */
const NO_SPACE_MS = 1000;

export interface Surroundings {
  readonly root: Root;
  readonly program: Program;
  readonly journal: Journal;
  readonly tmux: Tmux;
  readonly stuck: StuckWatch;
  readonly full: FullDisk;
  /** Called when an attempt has ended or been forgotten. */
  readonly onEnded: () => void;
}

export class Attempts {
  readonly #around: Surroundings;
  readonly #entries = new Map<Token, Entry>();
  readonly #endListeners = new Map<Token, Set<() => void>>();
  #running = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get running(): number {
    return this.#running;
  }

  get(token: Token): Entry | undefined {
    return this.#entries.get(token);
  }

  *live(): Iterable<Entry> {
    for (const entry of this.#entries.values()) if (entry.outcome === null) yield entry;
  }

  inventory(): InventoryEntry[] {
    return Array.from(this.#entries.values(), ({ token, project, task, n, outcome }) => ({
      token,
      project,
      task,
      n,
      state: outcome === null ? ('running' as const) : ('ended' as const),
      outcome,
      logBytes: sizeOf(`${attemptDir(this.#around.root, token)}/agent.log`),
    }));
  }

  /** Takes the order on, or knows it already. The first step is on its way when this returns. */
  start(order: AttemptOrder): 'started' | 'known' {
    const { root, program, journal } = this.#around;
    if (this.#entries.has(order.token)) return 'known';
    const recorded = claim(root, program, readBootId(), journal.last, order);
    if (recorded === null) return 'known';
    journal.append({ type: 'attempt.running', token: order.token });
    this.add(recorded, null);
    return 'started';
  }

  /** Puts a recorded attempt under this supervisor; with an outcome it only waits to be fetched. */
  add(recorded: Recorded, outcome: Outcome | null): void {
    const { work, node } = recorded;
    // An attempt that outlived a reboot shares no clock with it and begins its span anew.
    const since = node.bootId === readBootId() ? node.since : monotonicMs();
    const entry: Entry = {
      token: recorded.token,
      project: recorded.project,
      task: recorded.task,
      n: recorded.n,
      kind: work.kind,
      agent: work.kind === 'work' ? agentOf(work.executor) : null,
      limitTokens: work.kind === 'work' ? (work.limitTokens ?? null) : null,
      diskBytes: work.kind === 'work' ? diskOf(work) : null,
      isRead: work.kind === 'work' && isRead(work.executor),
      stallMs: recorded.stallMs ?? null,
      hangMs: work.kind === 'work' ? callOf(work.executor).hangMs : null,
      plain: isPlain(recorded),
      logCapBytes: recorded.logCapBytes,
      foreign: recorded.protocol === PROTOCOL ? null : node.wrapper,
      outcome,
      step: null,
      stepSince: 0,
      since,
      interrupt: null,
      busy: false,
      again: false,
      stopping: null,
      deadline: null,
      limit: null,
      untold: isPlain(recorded),
    };
    this.#entries.set(entry.token, entry);
    if (outcome !== null) return;
    this.#running += 1;
    entry.deadline = timer(since + recorded.timeoutMs, () => this.#interrupt(entry, { why: 'deadline' }));
    this.#drive(entry);
  }

  /** launch.sh says that a step has ended, or somebody has reason to look. */
  wake(token: Token): void {
    const entry = this.#entries.get(token);
    if (entry === undefined || entry.outcome !== null) return;
    if (entry.stopping === null) this.#drive(entry);
    else if (entry.step !== null && stepEnd(this.#step(entry)) !== null) entry.stopping();
  }

  cancel(token: Token, reason: string): 'cancelling' | 'ended' | 'unknown' {
    const entry = this.#entries.get(token);
    if (entry === undefined) return 'unknown';
    if (entry.outcome !== null) return 'ended';
    writeCancel(attemptDir(this.#around.root, token), reason);
    this.#interrupt(entry, { why: 'cancel', reason });
    return 'cancelling';
  }

  /** Looks at every running step: records that nobody announced, and processes that left none. Cheap: two system calls each. */
  look(): void {
    for (const entry of this.live())
      if (entry.step !== null && entry.stopping === null && !entry.busy) void this.#lookAt(entry);
  }

  /** Ends the running step for a reason of the supervisor's own; the attempt then goes on from there. */
  endStep(entry: Entry, by: EndedBy): void {
    if (entry.step === null || entry.stopping !== null) return;
    endStep(this.#step(entry), by);
    // Whoever fills the disk would go on while it is asked.
    void this.#stop(entry, by === 'disk' ? 0 : GRACE_MS);
  }

  /** Forgets the entry; its files are the caller's affair. */
  remove(token: Token): void {
    this.#entries.delete(token);
    this.#around.onEnded();
  }

  /** Calls back once when the attempt ends; returns how to take that back. */
  onEnd(token: Token, listener: () => void): () => void {
    const listeners = this.#endListeners.get(token) ?? new Set();
    this.#endListeners.set(token, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Ends that only a journal segment about to be removed knows are written beside their attempts. */
  keepEnds(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      if (entry.type !== 'attempt.ended' || !this.#entries.has(entry.token)) continue;
      writeResult(
        attemptDir(this.#around.root, entry.token),
        { outcome: entry.outcome, after: entry.seq, journaled: true },
        true,
      );
    }
  }

  /** Lets go of everything without ending anything: another supervisor adopts it. */
  release(): void {
    for (const entry of this.#entries.values()) clearTimers(entry);
    this.#released = true;
  }

  #released = false;

  #drive(entry: Entry): void {
    if (this.#released) return;
    if (entry.busy) {
      entry.again = true;
      return;
    }
    entry.busy = true;
    void this.#run(entry);
  }

  async #run(entry: Entry): Promise<void> {
    let stand: Stand;
    do {
      entry.again = false;
      entry.step = null;
      stand = await this.#advance(entry);
    } while (entry.again && stand.is === 'waiting' && !this.#released);
    if (stand.is === 'ended' && !this.#released) await this.#ended(entry, stand.outcome);
    entry.busy = false;
    if (this.#released || stand.is === 'ended') return;
    entry.step = stand.step;
    entry.stepSince = monotonicMs();
    if (entry.limit !== null) clearTimeout(entry.limit);
    entry.limit = stand.until === null ? null : timer(stand.until, () => this.endStep(entry, 'timeout'));
    if (entry.interrupt !== null) void this.#stop(entry);
  }

  /** A full disk is waited out: each phase may run again, and comes to the same place. */
  async #advance(entry: Entry): Promise<Stand> {
    for (;;) {
      const stand = await this.#advanceNow(entry);
      if (stand !== 'no-space') return stand;
      this.#around.full.note();
      await delay(NO_SPACE_MS);
      if (this.#released) return { is: 'waiting', step: '', until: null };
    }
  }

  async #advanceNow(entry: Entry): Promise<Stand | 'no-space'> {
    const { root, tmux, journal } = this.#around;
    if (entry.foreign !== null) return await this.#advanceForeign(entry, entry.foreign);
    const desk: Desk = {
      root,
      newSession: (name, argv) => tmux.newSession(name, argv),
      report: (fact) => journal.append(fact),
      interrupt: () => entry.interrupt,
    };
    try {
      return await advance(desk, entry.token);
    } catch (error) {
      if (isNoSpace(error)) return 'no-space';
      process.stderr.write(
        `attempt ${entry.token}: ${error instanceof Error ? error.stack : String(error)}\n`,
      );
      await this.#killAll(this.#suspect(entry));
      const message = error instanceof Error ? error.message : String(error);
      return {
        is: 'ended',
        outcome: {
          kind: 'failed',
          cause: entry.kind === 'gate' ? 'gate' : 'prepare',
          message,
          blame: 'node',
          exitCode: null,
          rounds: 1,
          usage: null,
        },
      };
    }
  }

  /** The attempt's own program takes it one piece further and says what happened. */
  async #advanceForeign(entry: Entry, wrapper: string): Promise<Stand> {
    const args = [wrapper, 'advance', '--root', this.#around.root.path, entry.token];
    if (entry.interrupt !== null) args.push('--why', entry.interrupt.why);
    const out = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
    }).catch((error: unknown) => {
      process.stderr.write(`attempt ${entry.token}: its own program failed: ${String(error)}\n`);
      return '{"stand":{"is":"ended","outcome":{"kind":"lost","why":"killed"}}}';
    });
    let stand: Stand = { is: 'ended', outcome: { kind: 'lost', why: 'killed' } };
    for (const text of out.trim().split('\n')) {
      const line = JSON.parse(text) as AdvanceLine;
      if ('stand' in line) stand = line.stand;
      else this.#around.journal.append(line.fact);
    }
    return stand;
  }

  async #ended(entry: Entry, came: Outcome): Promise<void> {
    const { root, journal, full, onEnded } = this.#around;
    clearTimers(entry);
    const outcome = full.weighed(came, entry.since);
    const dir = attemptDir(root, entry.token);
    const leader = entry.plain ? stepPid(`${dir}/1a`) : null;
    entry.step = null;
    for (; !entry.plain; await delay(NO_SPACE_MS)) {
      try {
        writeResult(dir, { outcome, after: journal.last, journaled: false }, false);
        break;
      } catch (error) {
        if (!isNoSpace(error)) throw error;
      }
    }
    entry.outcome = outcome;
    this.#running -= 1;
    journal.append({ type: 'attempt.ended', token: entry.token, outcome } satisfies JournalFact);
    if (leader !== null) this.#sweepLater({ token: entry.token, leader });
    for (const listener of this.#endListeners.get(entry.token) ?? []) listener();
    this.#endListeners.delete(entry.token);
    onEnded();
  }

  #sweepLater(suspect: Suspect): void {
    setTimeout(() => {
      if (groupLives(suspect)) void this.#killAll(suspect);
    }, LEFTOVER_MS);
  }

  /** What is left after this was tried for long is nothing to wait for, and is not forgotten either. */
  async #killAll(suspect: Suspect): Promise<void> {
    const began = monotonicMs();
    const left = await killAll(suspect);
    if (left.length > 0) this.#around.stuck.watch(suspect.token, left, monotonicMs() - began);
  }

  #interrupt(entry: Entry, interrupt: Interrupt): void {
    if (entry.interrupt !== null || entry.outcome !== null) return;
    entry.interrupt = interrupt;
    if (entry.step !== null && entry.stopping === null) void this.#stop(entry);
  }

  /** Asks the step's processes to end, waits, kills what is left, and lets the attempt go on. */
  async #stop(entry: Entry, graceMs = GRACE_MS): Promise<void> {
    const step = this.#step(entry);
    const over = new Promise<void>((resolve) => {
      entry.stopping = resolve;
    });
    const leader = await preempt(step);
    const suspect = { token: entry.token, leader };
    if (graceMs > 0 && leader !== null && leads(leader, entry.token)) {
      askToEnd(suspect);
      const grace = setTimeout(() => entry.stopping?.(), graceMs);
      await over;
      clearTimeout(grace);
    }
    await this.#killAll(suspect);
    entry.stopping = null;
    this.#drive(entry);
  }

  async #lookAt(entry: Entry): Promise<void> {
    const step = this.#step(entry);
    const leader = stepPid(step);
    if (leader !== null && leads(leader, entry.token)) return;
    // Its record is written before it leaves, so it is there by now or never.
    if (stepEnd(step) !== null) return this.#drive(entry);
    if (leader === null) {
      if (monotonicMs() - entry.stepSince < BEGIN_MS) return;
      if (await this.#around.tmux.hasSession(sessionOf(entry.token, entry.step ?? ''))) return;
    }
    if (stepEnd(step) === null) this.endStep(entry, 'lost');
  }

  #step(entry: Entry): string {
    return `${attemptDir(this.#around.root, entry.token)}/${entry.step}`;
  }

  #suspect(entry: Entry): Suspect {
    return { token: entry.token, leader: entry.step === null ? null : stepPid(this.#step(entry)) };
  }
}

function agentOf({ kind, call, secrets }: ExecutorDef): AgentSeen {
  return { kind, ...(call === undefined ? {} : { call }), secrets: Object.keys(secrets) };
}

/** @param at monotonic milliseconds. */
function timer(at: number, then: () => void): NodeJS.Timeout {
  return setTimeout(then, Math.max(0, Math.min(at - monotonicMs(), LONGEST_TIMER_MS)));
}

function clearTimers(entry: Entry): void {
  if (entry.deadline !== null) clearTimeout(entry.deadline);
  if (entry.limit !== null) clearTimeout(entry.limit);
}
