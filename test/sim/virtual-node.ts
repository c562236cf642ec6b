/**
 * A node as the controller may find it: a journal with growing numbers, attempts that start once per token, a boot id,
 * a disk that can be wiped, and agents whose fate was drawn. It knows nothing of tasks, locks or projects' states.
 */
import type { Outcome } from '../../src/model/attempt.ts';
import type { CommitId, NodeName, ProjectName, TaskId, Token } from '../../src/model/ids.ts';
import type { NodeConfig } from '../../src/model/spec.ts';
import type {
  InventoryEntry,
  JournalEntry,
  JournalFact,
  Refusal,
  Welcome,
} from '../../src/protocol/messages.ts';
import { stallFor } from '../model/builder.ts';
import type { Simulation } from './simulation.ts';
import { Ills } from './ills.ts';
import { drawSize, HOUR, MINUTE } from './pace.ts';
import { Rng } from './rng.ts';
import { clockOf, type NodeClock, slownessOf } from './menu.ts';
import { afterTheEnd, ODDITIES, type Oddity } from './oddities.ts';
import { BROKEN, type Fate, FLAKY } from './scenario.ts';
import type { Stream } from './stream.ts';

/** What an order amounts to here. */
export interface VirtualOrder {
  readonly token: Token;
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly n: number;
  readonly epoch: number;
  readonly timeoutMs: number;
  readonly work:
    | {
        readonly kind: 'work';
        readonly base: CommitId | null;
        readonly modifies: readonly string[];
        readonly limitTokens?: number;
        readonly credential?: string;
      }
    | { readonly kind: 'gate'; readonly commit: CommitId; readonly verify: string };
}

export type VirtualRequest =
  | { readonly op: 'hello'; readonly epoch: number }
  | { readonly op: 'inventory' }
  | { readonly op: 'start'; readonly order: VirtualOrder }
  | { readonly op: 'cancel'; readonly token: Token; readonly epoch: number; readonly reason: string }
  | { readonly op: 'forget'; readonly token: Token; readonly epoch: number }
  | { readonly op: 'bundle.get'; readonly token: Token }
  | { readonly op: 'mend'; readonly by: 'sweep' | 'restart'; readonly epoch: number }
  | { readonly op: 'ack'; readonly seq: number; readonly journal: string };

export type VirtualReply =
  | { readonly welcome: Welcome }
  | { readonly inventory: readonly InventoryEntry[] }
  | { readonly state: 'started' | 'known' }
  | { readonly cancel: 'cancelling' | 'ended' | 'unknown' }
  | { readonly head: CommitId }
  | { readonly ok: true }
  | { readonly refused: Refusal };

interface Held {
  readonly order: VirtualOrder;
  outcome: Outcome | null;
  oddity: Oddity | null;
  /** Until it is over; a late timer of an attempt that is gone finds out here. */
  readonly incarnation: object;
}

/** What an exact clock shows at the beginning. */
const CLOCKS_FROM = 1_700_000_000_000;

export class VirtualNode {
  readonly config: NodeConfig;
  readonly attempts = new Map<Token, Held>();
  readonly streams = new Set<Stream>();
  readonly ills: Ills;
  readonly #slow: number;
  readonly #clockRuns: NodeClock;
  readonly #listening = new Set<Stream>();
  #sim: Simulation;
  #epoch = 0;
  #boots = 1;
  #disks = 1;
  #seq = 0;
  #entries: JournalEntry[] = [];
  /** What waits for space on the disk. */
  #unwritten: JournalFact[] = [];
  #clockSet = 0;
  /** Changes with every boot and every disk. */
  #incarnation: object = {};
  #asleep: (() => void)[] | null = null;
  #awayUntil = 0;
  /** Tokens that this disk has begun to run. */
  #begun = new Set<Token>();

  constructor(sim: Simulation, config: NodeConfig) {
    this.#sim = sim;
    this.config = config;
    this.#slow = slownessOf(sim, config.name);
    this.#clockRuns = clockOf(sim, config.name);
    this.ills = new Ills(sim.ills, {
      tell: (fact) => this.#note(fact),
      looked: () => {
        if (!this.ills.full) this.#writeDown();
        sim.controller?.looked(config.name);
      },
    });
  }

  get name(): NodeName {
    return this.config.name;
  }

  get journal(): string {
    return `journal-${this.name}-${this.#disks}`;
  }

  /** How many times as long everything takes here. */
  get slowness(): number {
    return this.#sim.calm ? 1 : this.#slow;
  }

  /** Somebody sets the clock by so much, milliseconds. */
  setClock(by: number): void {
    this.#clockSet += by;
  }

  /** What its clock shows: one of its own, which nobody may compare with another. */
  #clock(): number {
    const { ahead, drift } = this.#clockRuns;
    return CLOCKS_FROM + ahead + this.#clockSet + Math.round(this.#sim.timeline.now * (1 + drift));
  }

  get asleep(): boolean {
    return this.#asleep !== null;
  }

  running(): Held[] {
    return [...this.attempts.values()].filter((held) => held.outcome === null);
  }

  /** The commit that it still has of an attempt. */
  headOf(token: Token): CommitId | null {
    const outcome = this.attempts.get(token)?.outcome;
    return outcome != null && 'head' in outcome ? outcome.head : null;
  }

  /** Runs now, or when the node is awake again. */
  whenAwake(run: () => void): void {
    if (this.#asleep === null) run();
    else this.#asleep.push(run);
  }

  handle(request: VirtualRequest): VirtualReply {
    if ('epoch' in request || request.op === 'start') {
      const epoch = request.op === 'start' ? request.order.epoch : request.epoch;
      if (epoch < this.#epoch) return { refused: 'fenced' };
      this.#epoch = epoch;
    }
    switch (request.op) {
      case 'hello':
        return { welcome: this.#welcome() };
      case 'inventory':
        return this.#inventory();
      case 'start':
        return this.#start(request.order);
      case 'cancel':
        return { cancel: this.#cancel(request.token, request.reason) };
      case 'forget':
        return this.#forget(request.token);
      case 'mend':
        this.ills.mend(request.by);
        if (request.by === 'restart') this.#sim.timeline.after(5, () => this.#cutAll('another supervisor'));
        return { ok: true };
      case 'bundle.get':
        return this.#bundle(request.token);
      case 'ack':
        if (request.journal === this.journal) {
          this.#sim.acknowledged(request.journal, request.seq);
          this.#entries = this.#entries.filter((entry) => entry.seq > request.seq);
        }
        return { ok: true };
    }
  }

  /** Power fails: what ran is over, and the files say so when it is up again. */
  reboot(): void {
    this.#cutAll('the node rebooted');
    this.#boots += 1;
    this.ills.reboot();
    this.#incarnation = {};
    for (const held of this.running()) this.#end(held, { kind: 'lost', why: 'rebooted' });
  }

  /** A new machine of the same name: nothing of the old one is left. */
  wipe(): void {
    this.#cutAll('the node was wiped');
    this.#sim.truth.gone(this.journal);
    this.#boots += 1;
    this.ills.wipe();
    this.#disks += 1;
    this.#seq = 0;
    this.#epoch = 0;
    this.#entries = [];
    this.#unwritten = [];
    this.#incarnation = {};
    this.attempts.clear();
    this.#begun = new Set();
  }

  pause(span: number): void {
    if (this.#asleep !== null) return;
    this.#asleep = [];
    for (const stream of this.streams) stream.listen();
    this.#sim.timeline.after(span, () => this.wake());
  }

  wake(): void {
    const waiting = this.#asleep ?? [];
    this.#asleep = null;
    for (const run of waiting) run();
  }

  /** No line leads to it for a while; what runs there runs on. */
  leave(span: number): void {
    const until = this.#sim.timeline.now + span;
    this.#awayUntil = Math.max(this.#awayUntil, until);
    this.#cutAll('its line is dead');
  }

  /** Every line is mended. */
  reappear(): void {
    this.#awayUntil = 0;
  }

  get reachable(): boolean {
    return this.#asleep === null && this.#sim.timeline.now >= this.#awayUntil;
  }

  /** Something that has nothing to do with it ends an attempt as if that had been asked for. */
  killed(token: Token): void {
    const held = this.attempts.get(token);
    if (held !== undefined) this.#end(held, { kind: 'cancelled', reason: 'killed' });
  }

  /** True for a token that was claimed on this disk, also when it is forgotten. */
  knows(token: Token): boolean {
    return this.#begun.has(token);
  }

  /** Everything after `from`, and from now on whatever is noted. */
  subscribe(stream: Stream, from: number): void {
    stream.push(this.#after(from));
    this.#listening.add(stream);
  }

  /** Sends everything after `from` again to whoever listens. */
  replay(from: number): void {
    for (const stream of this.#listening) stream.push(this.#after(from));
  }

  /** The stream is gone. */
  drop(stream: Stream): void {
    this.streams.delete(stream);
    this.#listening.delete(stream);
  }

  #after(seq: number): JournalEntry[] {
    return this.#entries.filter((entry) => entry.seq > seq);
  }

  get seq(): number {
    return this.#seq;
  }

  #welcome(): Welcome {
    return {
      protocol: 1,
      program: 'program',
      bootId: `boot-${this.#boots}`,
      journal: this.journal,
      seq: this.#seq,
      held: this.#entries[0]?.seq ?? this.#seq + 1,
      platform: 'linux',
      epoch: this.#epoch,
    };
  }

  #inventory(): VirtualReply {
    return {
      inventory: Array.from(this.attempts.values(), ({ order, outcome }) => ({
        token: order.token,
        project: order.project,
        task: order.task,
        n: order.n,
        state: outcome === null ? 'running' : 'ended',
        outcome,
        logBytes: 0,
      })),
    };
  }

  #start(order: VirtualOrder): VirtualReply {
    const { scenario, faults, truth } = this.#sim;
    if (this.attempts.has(order.token)) return { state: 'known' };
    if (this.knows(order.token)) return { refused: 'forgotten' };
    if (this.ills.full) return { refused: 'no-space' };
    const refused = faults.strikes('refused-start', scenario.refusedStart, nameOf(order));
    if (refused !== null) {
      const why = refused.pick(['no-space', 'missing-program', 'missing-base', 'internal'] as const);
      faults.specify(why);
      return { refused: why };
    }
    truth.begins(this, order, this.#begun.has(order.token));
    this.#begun.add(order.token);
    const held: Held = { order, outcome: null, oddity: null, incarnation: this.#incarnation };
    this.attempts.set(order.token, held);
    this.#note({ type: 'attempt.running', token: order.token });
    if (order.work.kind === 'gate') this.#runGate(held, order.work);
    else this.#runWork(held);
    return { state: 'started' };
  }

  #runGate(held: Held, { commit, verify }: Extract<VirtualOrder['work'], { kind: 'gate' }>): void {
    const { rng, scenario, calm, faults, truth } = this.#sim;
    const what = nameOf(held.order);
    if (this.ills.faulty) {
      const broken = { ...failed('gate', 'no clean checkout: the disk says EIO'), blame: 'node' as const };
      return this.#later(held, rng.between(10, 300), () => this.#end(held, broken));
    }
    const flakes = faults.strikes('flaky-gate', scenario.flakyGates, what) !== null;
    const verdict = flakes ? 'red' : truth.verdict(commit);
    this.#later(held, rng.magnitude(500, calm ? MINUTE : 20 * MINUTE), () => {
      if (faults.strikes('broken-gate', scenario.brokenGates, what) !== null) {
        this.#end(held, failed('gate', 'the sandbox broke'));
        return;
      }
      truth.gated(commit, verdict, verify);
      this.#end(
        held,
        verdict === 'green'
          ? { kind: 'done', head: null, rounds: 1, usage: null }
          : {
              kind: 'refused',
              findings: [],
              output: output(truth.verdict(commit)),
              head: null,
              rounds: 1,
              usage: null,
            },
      );
    });
  }

  #runWork(held: Held): void {
    const { rng } = this.#sim;
    const { order } = held;
    const refusal = this.#sim.provider.refuses(order);
    if (refusal !== null) {
      const message = `API Error: ${refusal.kind}`;
      return this.#later(held, rng.between(100, 3_000), () =>
        this.#end(held, { ...failed('executor', message), refusal }),
      );
    }
    if (this.ills.faulty) {
      const broken = { ...failed('prepare', 'the disk says EIO'), blame: 'node' as const };
      return this.#later(held, rng.between(10, 300), () => this.#end(held, broken));
    }
    const fate = this.#fateOf(order);
    const oddity = this.#oddityOf(order);
    held.oddity = oddity;
    const usual = this.#spanOf(order);
    const slow = Math.max(usual, Math.min(usual * this.slowness, order.timeoutMs * 0.9));
    const span = fate === 'hang' ? order.timeoutMs : slow;
    for (const step of ['agent', 'verify'] as const) {
      this.#later(held, (span * (step === 'agent' ? 1 : 8)) / 10, () =>
        this.#note({ type: 'attempt.step', token: order.token, round: 1, step }),
      );
    }
    this.#fallSilent(held, span);
    this.#later(held, span, () => {
      if (fate === 'good')
        this.#note({ type: 'attempt.noted', token: order.token, plan: null, evidence: 'good' });
      this.#end(held, this.ills.full ? NO_SPACE : this.#outcomeOf(fate, held));
    });
  }

  #oddityOf(order: VirtualOrder): Oddity | null {
    const { faults, scenario } = this.#sim;
    const oddity = faults.strikes('oddity', scenario.menu.odd, nameOf(order))?.pick(ODDITIES) ?? null;
    if (oddity !== null) faults.specify(oddity);
    return oddity;
  }

  /** Drawn for the attempt itself: what else happens does not change it. */
  #fateOf(order: VirtualOrder): Fate {
    const { seed, scenario, faults } = this.#sim;
    const id = `agent:${nameOf(order)}`;
    const fate = Rng.of(seed, id).weighted(scenario.fates);
    if (fate === 'good' || !faults.admits(id, '')) return 'good';
    faults.specify(fate);
    return fate;
  }

  /** All attempts at a task are of one size. */
  #spanOf(order: VirtualOrder): number {
    const { seed, scenario, calm } = this.#sim;
    const size = drawSize(Rng.of(seed, `size:${order.project}/${order.task}`), scenario.quick);
    const span = Rng.of(seed, `span:${nameOf(order)}`).magnitude(...size);
    return Math.min(span, order.timeoutMs, calm ? 10 * MINUTE : HOUR * 24);
  }

  /** Nothing is to come of it but words: it ends as it would have ended, and whenever it would have. */
  #fallSilent(held: Held, span: number): void {
    const { silence, calm, provider } = this.#sim;
    const { token, work } = held.order;
    if (calm || !silence.chance(0.2)) return;
    const stall = stallFor(silence.pick(['keyboard', 'model', 'child', 'unknown'] as const));
    this.#later(held, span / 4, () => this.#note({ type: 'attempt.stalled', token, stall }));
    if (silence.chance(0.5)) this.#later(held, span / 2, () => this.#note({ type: 'attempt.moved', token }));
    const credential = work.kind === 'work' ? work.credential : undefined;
    if (credential === undefined || !silence.chance(0.3)) return;
    this.#later(held, span / 3, () =>
      this.#note({
        type: 'provider.refused',
        token,
        refusal: provider.complains(),
        message: 'API Error: mid-turn',
      }),
    );
  }

  #outcomeOf(fate: Fate, { order, oddity }: Held): Outcome {
    const { rng, truth } = this.#sim;
    const head = order.work.kind === 'work' ? truth.work(order, fate, oddity === 'stray') : null;
    switch (fate) {
      case 'good':
      case 'red':
      case 'outside':
      case 'extra':
        return { kind: 'done', head, rounds: 1, usage: null };
      case 'empty-done':
        return { kind: 'done', head: null, rounds: 1, usage: null };
      case 'refused':
        return {
          kind: 'refused',
          findings: [{ gate: 'verify', path: null, line: null, message: 'red', fix: null }],
          output: 'red',
          head: rng.chance(0.5) ? head : null,
          rounds: 4,
          usage: null,
        };
      case 'failed':
        return failed(rng.pick(['prepare', 'executor', 'empty'] as const), 'it broke');
      case 'hang':
        return { kind: 'timeout', rounds: 1, head: rng.chance(0.5) ? head : null };
      case 'killed':
        return { kind: 'lost', why: 'killed' };
    }
  }

  #cancel(token: Token, reason: string): 'cancelling' | 'ended' | 'unknown' {
    const held = this.attempts.get(token);
    if (held === undefined) return 'unknown';
    if (held.outcome !== null) return 'ended';
    this.#sim.truth.cancels(token);
    if (held.oddity === 'deaf' && !this.#sim.calm) return 'cancelling';
    this.#later(held, this.#sim.rng.between(1, 10_000), () => this.#end(held, { kind: 'cancelled', reason }));
    return 'cancelling';
  }

  #forget(token: Token): VirtualReply {
    const held = this.attempts.get(token);
    if (held !== undefined) this.#sim.truth.forgets(this, held.order, held.outcome);
    this.attempts.delete(token);
    return { ok: true };
  }

  #bundle(token: Token): VirtualReply {
    const head = this.headOf(token);
    return head === null ? { refused: 'unknown' } : { head };
  }

  #end(held: Held, outcome: Outcome): void {
    if (held.outcome !== null) return;
    const { work, token } = held.order;
    const told = work.kind === 'work' ? this.#sim.money.billed(work, outcome) : outcome;
    held.outcome = told;
    this.#sim.truth.ended(this, held.order, told);
    this.#note({ type: 'attempt.ended', token, outcome: told });
    if (held.oddity === null) return;
    const rng = Rng.of(this.#sim.seed, `odd:${token}`);
    for (const { after, fact } of afterTheEnd(held.oddity, { token, outcome: told, rng })) {
      const { incarnation } = held;
      this.#sim.timeline.after(after, () =>
        this.whenAwake(() => {
          if (incarnation === this.#incarnation && !this.#sim.calm) this.#note(fact);
        }),
      );
    }
  }

  /** On a full disk the journal waits; what is noted keeps its order. */
  #note(fact: JournalFact): void {
    if (this.ills.full) {
      this.#unwritten.push(fact);
      return;
    }
    this.#seq += 1;
    const entry: JournalEntry = { seq: this.#seq, at: this.#clock(), ...fact };
    this.#entries.push(entry);
    for (const stream of this.#listening) stream.push([entry]);
  }

  /** There is space again. */
  #writeDown(): void {
    for (const fact of this.#unwritten.splice(0)) this.#note(fact);
  }

  /** Something an attempt does later, unless it is over by then or the machine is another. */
  #later(held: Held, span: number, run: () => void): void {
    this.#sim.timeline.after(span, () =>
      this.whenAwake(() => {
        const gone = this.attempts.get(held.order.token) !== held;
        if (!gone && held.outcome === null && held.incarnation === this.#incarnation) run();
      }),
    );
  }

  #cutAll(reason: string): void {
    for (const stream of this.streams) stream.cut(reason);
  }
}

/** `p/T3#2`, or what is said of a gate. */
function nameOf({ project, task, n, work }: VirtualOrder): string {
  return `${project}/${task}#${n}${work.kind === 'gate' ? ' (gate)' : ''}`;
}

function failed(
  cause: Extract<Outcome, { kind: 'failed' }>['cause'],
  message: string,
): Extract<Outcome, { kind: 'failed' }> {
  return { kind: 'failed', cause, message, exitCode: 1, rounds: 1, usage: null };
}

/** What a red run prints: another test fails where the tree is really red than where it only seems so. */
function output(really: 'green' | 'red'): string {
  return `not ok 1 - ${really === 'red' ? BROKEN : FLAKY}`;
}

/** What becomes of an attempt that can write nothing down. */
const NO_SPACE: Outcome = { ...failed('prepare', 'no space left on device'), blame: 'node' };
