/**
 * One controller process: the real core and the real store, with virtual hands. It is driven as the loop drives it in
 * production: inputs gather, a turn, one commit, then the effects. It can die at every moment in between; what it knew
 * besides the store is gone with it, and what it had sent goes on without it.
 */
import { DispatchError } from '../../src/model/error.ts';
import type { Attempt } from '../../src/model/attempt.ts';
import type { NodeName } from '../../src/model/ids.ts';
import { Core, type TurnResult } from '../../src/controller/core.ts';
import type { Command, Effect, Input } from '../../src/controller/door.ts';
import { isAnybodySilent } from '../../src/controller/leases.ts';
import { awakeBetween, type Moment } from '../../src/controller/sleep.ts';
import { BACKOFF, waitBefore } from '../../src/node/backoff.ts';
import { isWitnessed } from '../../src/schedule/lease.ts';
import type { Lease } from '../../src/store/port.ts';
import { Ringer } from './bell.ts';
import { Safety } from './safety.ts';
import { watch } from '../../src/model/invariants.ts';
import { performOnHub } from './hub-hands.ts';
import { BrokenDisk, commitOrBreak } from './broken-disk.ts';
import { MINUTE } from './pace.ts';
import type { Simulation } from './simulation.ts';
import { type Answer, Stream } from './stream.ts';
import { AROUND } from './truth.ts';
import type { VirtualOrder } from './virtual-node.ts';

/** Longest span that the loop sets a timer for. */
const MAX_TIMER = 60 * 60_000;
/** Longer than in production at most, so that a node that is away for hours does not fill the run with tries. */
const RECONNECT = { ...BACKOFF, minMs: 2_000, maxMs: 15 * MINUTE };
const LOOK_MS = 5_000;
const LONGEST_LOOK_MS = 30 * MINUTE;

export class VirtualController {
  readonly core: Core;
  readonly lease: Lease;
  readonly #sim: Simulation;
  readonly #safety: Safety;
  /** Independent of how the core watches itself. */
  readonly #watch: ReturnType<typeof watch>;
  readonly #ringer: Ringer;
  readonly #streams = new Map<NodeName, Stream>();
  readonly #delivered = new Map<NodeName, { journal: string; seq: number }>();
  #inputs: Input[] = [];
  readonly #began: number;
  #turns = 0;
  #busy = false;
  #timer = 0;
  #alive = true;
  #asleepUntil = 0;
  /** Of sleep that has begun. */
  #sleptMs = 0;
  #looking = false;
  #looked: Moment;

  constructor(sim: Simulation, core: Core, lease: Lease) {
    this.#sim = sim;
    this.core = core;
    this.#watch = watch(core.state, AROUND);
    this.#ringer = new Ringer(sim.bell, sim.seed, lease.epoch);
    this.#safety = new Safety(
      (input) => this.push(input),
      () => sim.wall(),
    );
    this.lease = lease;
    core.setNodes(sim.scenario.nodes);
    core.setBudget(sim.money.rules);
    this.#looked = { wall: sim.wall(), mono: 0 };
    this.#began = sim.timeline.now;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** How many it has taken. */
  get turns(): number {
    return this.#turns;
  }

  /** Nothing to do and nobody to wait for. */
  get idle(): boolean {
    return !this.#busy && this.#inputs.length === 0 && this.core.memory.inflight.size === 0;
  }

  begin(commands: readonly Command[]): void {
    this.push({ is: 'acquired', host: this.lease.host, pid: this.lease.pid });
    for (const command of commands) this.push({ is: 'command', command });
    for (const [project, hub] of this.#sim.truth.hubs) {
      this.#after(this.#sim.rng.int(this.#sim.scenario.slowHub), () => {
        this.push({ is: 'based', key: `base:${project}`, project, integration: hub.base() });
      });
    }
    for (const node of this.#sim.nodes.keys()) this.#connect(node, 1);
    this.judge();
  }

  /** Holds what is wrong against what it knows. */
  judge(): void {
    const news = this.#ringer.judge(this.core.state, this.#sim.wall());
    if (news !== null) this.push(news);
  }

  push(input: Input): void {
    if (!this.#alive) return;
    this.#inputs.push(input);
    this.#schedule();
  }

  /**
   * The machine sleeps: nothing of the process runs until it wakes. What is sent to it meanwhile waits, and connections
   * may be cut without its knowledge; so after waking each has to answer before anything is believed of it.
   */
  sleep(span: number): void {
    if (!this.#alive) return;
    const { now } = this.#sim.timeline;
    const until = Math.max(this.#asleepUntil, now + span);
    this.#sleptMs += until - Math.max(this.#asleepUntil, now);
    this.#asleepUntil = until;
    this.#after(span, () => {
      this.push({ is: 'woke', sleptMs: span });
      for (const [node, stream] of this.#streams) {
        stream.call({ op: 'ack', seq: 0, journal: stream.journal }, (answer) => {
          if (!this.#alive || this.#streams.get(node) !== stream) return;
          if ('ok' in answer) this.push({ is: 'node.alive', node });
          else stream.cut('no answer after sleep');
        });
      }
    });
  }

  /** For how long it has been awake so far, milliseconds: what a clock shows that stands still in sleep. */
  get awakeMs(): number {
    const { now } = this.#sim.timeline;
    return now - this.#began - this.#sleptMs + Math.max(0, this.#asleepUntil - now);
  }

  /** The process is gone. */
  die(why: string): void {
    if (!this.#alive) return;
    this.#sim.log(`controller ${this.lease.epoch} dies: ${why}`);
    this.#alive = false;
    for (const stream of this.#streams.values()) stream.abandon();
    this.#sim.controllerDied(this);
  }

  /** As the session does it, less often: by the shortest lease that runs, and not while everybody answers. */
  #look(): void {
    if (this.#looking || !isAnybodySilent(this.core.snapshot())) return;
    this.#looking = true;
    this.#looked = { wall: this.#sim.wall(), mono: this.awakeMs };
    const everyMs = this.#lookEveryMs();
    this.#after(everyMs, () => {
      const now = { wall: this.#sim.wall(), mono: this.awakeMs };
      const ms = awakeBetween(this.#looked, now, everyMs);
      this.#looking = false;
      // The turn that follows looks whether anybody is silent still.
      this.push({ is: 'awake', ms });
    });
  }

  #lookEveryMs(): number {
    const { state, memory } = this.core;
    let shortest = LONGEST_LOOK_MS;
    const { nodes } = this.#sim.scenario;
    for (const { name, leaseMs } of nodes) {
      if (!isWitnessed(name, { nodes, connected: memory.connected })) continue;
      const known = state.nodes.get(name);
      if (memory.connected.has(name) || known?.bootId == null || known.silence?.is === 'lost') continue;
      shortest = Math.min(shortest, (leaseMs ?? shortest * 4) / 4);
    }
    return Math.max(LOOK_MS, shortest);
  }

  #schedule(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#after(this.#sim.rng.int(3), () => this.#turn());
  }

  async #turn(): Promise<void> {
    const { sim, core } = { sim: this.#sim, core: this.core };
    let inputs = this.#inputs;
    this.#inputs = [];
    this.#turns += 1;
    this.#safety.heard(inputs);
    for (const hook of sim.hooks.beforeTurn) inputs = hook(core, inputs);
    const result = core.turn(inputs, sim.wall());
    for (const hook of sim.hooks.afterTurn) hook(core, result);
    sim.log(
      `turn ${this.lease.epoch} ${textOf(inputs)} -> ${JSON.stringify(result.events.map((it) => it.fact))}`,
    );
    // A plant changes what a turn sees, and puts it right: then what the core found in the midst of it says nothing.
    if (sim.hooks.afterTurn.length > 0) core.memory.doubts.clear();
    sim.found([...core.memory.doubts, ...this.#watch(result.events)]);
    sim.found(this.#safety.violations(result.events, core.memory.safe));
    sim.found(sim.hearing.violations(this, result.events));
    if (this.mayDie('before the commit')) return;
    if (result.events.length > 0 && !(await this.#commit(result))) return;
    if (this.mayDie('after the commit')) return;
    this.#after(sim.rng.int(5), () => this.#effects(result));
  }

  /** False when the controller may not go on, or not yet. */
  async #commit(result: TurnResult): Promise<boolean> {
    const { sim } = { sim: this.#sim };
    if (sim.faults.strikes('no-space', sim.scenario.noSpace) !== null) {
      // As the loop does: nothing was written, and the same events are tried again until there is space.
      this.#after(sim.rng.between(100, 5_000), async () => {
        if (this.mayDie('with a full disk')) return;
        if (await this.#commit(result)) await this.#effects(result);
      });
      return false;
    }
    const breaks = sim.faults.strikes('broken-commit', sim.scenario.menu.brokenCommit);
    try {
      await commitOrBreak(sim, breaks, { lease: this.lease, events: result.events, state: this.core.state });
    } catch (error) {
      if (error instanceof BrokenDisk) this.die('its store is broken');
      else if (error instanceof DispatchError && error.code === 'E_FENCED')
        this.die('another controller has taken over');
      else throw error;
      return false;
    }
    sim.committed(this, result.events);
    // As far as it can tell it was not.
    if (breaks !== null) this.die('its store is broken');
    return breaks === null;
  }

  async #effects({ effects, wakeAt }: TurnResult): Promise<void> {
    for (const effect of effects) {
      if (this.mayDie('between two effects')) return;
      this.#sim.log(`do ${effect.key}`);
      this.#perform(effect);
    }
    if (effects.length > 0) this.#sim.stir();
    await this.#ringer.tell(this.core.state, {
      isInCharge: async () => (await this.#sim.store.holder())?.epoch === this.lease.epoch,
      later: (span, input) => this.#after(span, () => this.push(input)),
    });
    this.#ack();
    this.#wake(wakeAt);
    this.#look();
    this.#busy = false;
    if (this.#inputs.length > 0) this.#schedule();
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'start':
      case 'cancel':
      case 'forget':
        return this.#performOnNode(effect);
      case 'mend':
        return this.#mend(effect);
      default:
        return performOnHub(effect, {
          sim: this.#sim,
          state: this.core.state,
          stream: (node) => this.#streams.get(node) ?? null,
          done: (input) => {
            this.#safety.breakers.heard(effect, input);
            this.push(input);
          },
          dies: (when) => this.mayDie(when),
        });
    }
  }

  /** The disk of a node, as it is found by whoever is connected. */
  looked(name: NodeName): void {
    if (this.#streams.has(name))
      this.push({ is: 'node.looked', node: name, disk: this.#sim.node(name).ills.disk });
  }

  #mend({ key, node, ailment, by }: Extract<Effect, { do: 'mend' }>): void {
    const stream = this.#streams.get(node);
    const done = (answer: Answer): void => {
      if ('ok' in answer) this.push({ is: 'mended', key, node, ailment, did: by === 'restart' ? null : by });
      else this.push({ is: 'effect.failed', key, problem: { code: 'E_NODE_TIMEOUT', message: 'no answer' } });
      this.looked(node);
    };
    if (stream === undefined) done({ failed: 'disconnected' });
    else stream.call({ op: 'mend', by, epoch: this.lease.epoch }, done);
  }

  #performOnNode(effect: Extract<Effect, { do: 'start' | 'cancel' | 'forget' }>): void {
    const { key, token, node } = effect;
    const { epoch } = this.lease;
    switch (effect.do) {
      case 'start':
        // The base travels first; the order is only sent when the attempt is still wanted.
        return this.#after(this.#sim.rng.int(this.#sim.scenario.delay), () => {
          if (this.mayDie(`with the base of ${key} on its way`)) return;
          const attempt = this.core.state.attempts.get(token);
          if (attempt?.phase.is !== 'claimed') return this.push({ is: 'started', key, token });
          this.#call(node, { op: 'start', order: this.#order(attempt) }, effect);
        });
      case 'cancel':
        return this.#call(node, { op: 'cancel', token, epoch, reason: effect.reason }, effect);
      case 'forget':
        return this.#call(node, { op: 'forget', token, epoch }, effect);
    }
  }

  #call(
    node: NodeName,
    request: Parameters<Stream['call']>[0],
    effect: Extract<Effect, { do: 'start' | 'cancel' | 'forget' }>,
  ): void {
    const stream = this.#streams.get(node);
    const done = (answer: Answer): void => this.push(resultOf(effect, answer));
    if (stream === undefined) done({ failed: 'disconnected' });
    else stream.call(request, done);
  }

  #order(attempt: Attempt): VirtualOrder {
    const { state } = this.core;
    const task = state.tasks.get(attempt.task);
    const project = attempt.task.slice(0, attempt.task.indexOf('/')) as VirtualOrder['project'];
    const { work } = attempt;
    return {
      token: attempt.token,
      project,
      task: attempt.task.slice(project.length + 1) as VirtualOrder['task'],
      n: attempt.n,
      epoch: this.lease.epoch,
      timeoutMs: task?.spec.timeoutMs ?? 60_000,
      work:
        work.kind === 'gate'
          ? { kind: 'gate', commit: work.subject.commit, verify: work.subject.verify }
          : {
              kind: 'work',
              base: attempt.base,
              modifies: task?.spec.modifies ?? [],
              ...(task?.spec.budgetTokens == null ? {} : { limitTokens: task.spec.budgetTokens }),
              ...(attempt.credential === undefined ? {} : { credential: attempt.credential }),
            },
    };
  }

  /** Connects, and comes back by itself for as long as the controller lives. */
  #connect(name: NodeName, tries: number): void {
    const { sim } = { sim: this.#sim };
    const node = sim.node(name);
    const again = (): void =>
      this.#after(waitBefore({ total: tries, auth: 0 }, sim.rng.next(), RECONNECT), () =>
        this.#connect(name, tries + 1),
      );
    if (!node.reachable) {
      this.push({ is: 'node.down', node: name, reason: 'it does not answer' });
      return again();
    }
    let up = false;
    const stream = new Stream(sim, node, {
      from: (journal) => this.#from(name, journal),
      onWord: (from) => {
        if (this.#streams.get(name) === from) sim.hearing.heard(this, name);
      },
      onNews: (from, journal, entries) => {
        if (!this.#alive || this.#streams.get(name) !== from) return;
        this.#note(name, journal, entries.at(-1)?.seq ?? 0);
        this.push({ is: 'node.news', node: name, journal, entries });
      },
      onCut: (from, reason) => {
        if (!this.#alive) return;
        if (this.#streams.get(name) === from) this.#streams.delete(name);
        this.push({ is: 'node.down', node: name, reason });
        if (up) tries = 0;
        again();
      },
    });
    sim.opened(this, stream);
    stream.call({ op: 'hello', epoch: this.lease.epoch }, (hello) => {
      if (!this.#alive) return;
      if (!('welcome' in hello)) {
        if ('refused' in hello && hello.refused === 'fenced') this.die('a node has seen a newer epoch');
        else stream.cut('no hello');
        return;
      }
      const { welcome } = hello;
      stream.call({ op: 'inventory' }, (adopted) => {
        if (!this.#alive || up) return;
        if (!('inventory' in adopted)) return stream.cut('no inventory');
        up = true;
        this.#streams.set(name, stream);
        sim.hearing.heard(this, name);
        this.push({ is: 'node.up', node: name, welcome, inventory: adopted.inventory });
        this.looked(name);
      });
    });
  }

  /** What the controller has applied, or what it was given in this life if that is more. */
  #from(name: NodeName, journal: string): number {
    const node = this.core.state.nodes.get(name);
    const applied = node?.journal === journal ? node.cursor : 0;
    const given = this.#delivered.get(name);
    return Math.max(applied, given?.journal === journal ? given.seq : 0);
  }

  #note(name: NodeName, journal: string, seq: number): void {
    const given = this.#delivered.get(name);
    const before = given?.journal === journal ? given.seq : 0;
    this.#delivered.set(name, { journal, seq: Math.max(before, seq) });
  }

  /** What is durable here need not be kept there. */
  #ack(): void {
    for (const [name, stream] of this.#streams) {
      const node = this.core.state.nodes.get(name);
      if (node?.journal !== stream.journal || !this.#sim.rng.chance(0.2)) continue;
      stream.call({ op: 'ack', seq: node.cursor, journal: stream.journal }, () => {});
    }
  }

  #wake(at: number | null): void {
    this.#timer += 1;
    if (at === null) return;
    const timer = this.#timer;
    const span = Math.min(MAX_TIMER, Math.max(1, at - this.#sim.wall()));
    this.#after(span, () => {
      if (timer === this.#timer) this.push({ is: 'tick' });
    });
  }

  /** One of the moments at which a process may be killed. True: it is gone, now or since before. */
  mayDie(when: string, chance = this.#sim.scenario.dieInTurn): boolean {
    const { faults } = this.#sim;
    if (!this.#alive) return true;
    if (faults.strikes('death', chance, when) === null) return false;
    faults.specify(when.replace(/ (?:of )?[\w-]+:\S+/u, ''));
    this.die(when);
    return true;
  }

  #after(span: number, run: () => void | Promise<void>): void {
    this.#sim.timeline.after(span, () => this.#whenAwake(run));
  }

  #whenAwake(run: () => void | Promise<void>): void | Promise<void> {
    if (!this.#alive) return undefined;
    const { timeline, scenario } = this.#sim;
    if (timeline.now >= this.#asleepUntil)
      return this.mayDie('where it waited', scenario.dieInTurn / 5) ? undefined : run();
    timeline.after(this.#asleepUntil - timeline.now, () => this.#whenAwake(run));
  }
}

/** A function that looks at each member is dear, and only one command has something to leave out. */
function textOf(inputs: readonly Input[]): string {
  const loads = inputs.some((input) => input.is === 'command' && input.command.verb === 'load');
  return loads ? JSON.stringify(inputs, withoutSpecs) : JSON.stringify(inputs);
}

/** Of a load: what it brings is drawn from the seed, and long. */
function withoutSpecs(key: string, value: unknown): unknown {
  return key === 'specs' || key === 'config' ? undefined : value;
}

function resultOf(effect: Extract<Effect, { do: 'start' | 'cancel' | 'forget' }>, answer: Answer): Input {
  const { key, token } = effect;
  if (
    'refused' in answer &&
    effect.do === 'start' &&
    answer.refused !== 'missing-base' &&
    answer.refused !== 'fenced'
  ) {
    return { is: 'start.refused', key, token, refusal: answer.refused, message: 'refused' };
  }
  if ('failed' in answer || 'refused' in answer) {
    const code = 'failed' in answer ? answer.failed : answer.refused;
    return { is: 'effect.failed', key, problem: { code, message: 'unknown outcome' } };
  }
  if (effect.do === 'start') return { is: 'started', key, token };
  if (effect.do === 'forget') return { is: 'forgotten', key, token };
  if (!('cancel' in answer)) throw new Error('a cancel was answered with something else');
  return { is: 'cancelled', key, token, state: answer.cancel };
}
