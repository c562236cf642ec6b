/**
 * One home in a virtual world, from one seed: real core, scheduler and store; virtual time, nodes, network, git and
 * people. First everything goes wrong that the seed drew, and only safety is asked for; then everything is mended, and
 * within a bound all work must come to an end.
 */
import { createHash } from 'node:crypto';
import { Core, type TurnResult } from '../../src/controller/core.ts';
import type { Command, Input } from '../../src/controller/door.ts';
import type { NewEvent } from '../../src/model/event.ts';
import {
  type NodeName,
  type ProjectName,
  type TaskId,
  type TaskKey,
  taskKey,
  type Token,
} from '../../src/model/ids.ts';
import { violations } from '../../src/model/invariants.ts';
import type { State } from '../../src/model/state.ts';
import type { Progress } from '../../src/model/task.ts';
import type { Store } from '../../src/store/port.ts';
import { Accidents } from './accidents.ts';
import { Bell } from './bell.ts';
import { durableViolations, endViolations, loadedDifferences, unfinished } from './checks.ts';
import { Faults, type Only, type Struck } from './faults.ts';
import { Hearing } from './hearing.ts';
import { driftOf, withMenu } from './menu.ts';
import { Money } from './money.ts';
import { Person } from './person.ts';
import { Misfortunes } from './misfortunes.ts';
import { Provider } from './provider.ts';
import { HOUR } from './pace.ts';
import { Rng } from './rng.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import type { Stream } from './stream.ts';
import { Timeline } from './timeline.ts';
import { AROUND, Truth } from './truth.ts';
import { VirtualController } from './virtual-controller.ts';
import { VirtualNode } from './virtual-node.ts';

/** Time that everything has to come to an end once it is mended, and the most steps a whole run may take. */
const HEALING_MS = 24 * HOUR;
const MOST_STEPS = 60_000;
const TRACE_KEPT = 60;
const HASHED_AT_ONCE = 1 << 16;
/** Transactions between two looks at the whole state, which costs its size. */
const LOOKED_OVER_EVERY = 8;

export interface Hooks {
  /** Sees, and may replace, what goes into a turn. */
  readonly beforeTurn: ((core: Core, inputs: Input[]) => Input[])[];
  readonly afterTurn: ((core: Core, result: TurnResult) => void)[];
}

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  /** Virtual milliseconds, and for how many of them something was at work. */
  readonly elapsed: number;
  readonly worked: number;
  readonly events: number;
  /** Empty when all held. */
  readonly violations: readonly string[];
  /** The last steps, oldest first. */
  readonly trace: readonly string[];
  /** sha256 over every step: two runs of one seed have the same. */
  readonly digest: string;
  /** What went wrong on purpose, in order. */
  readonly struck: readonly Struck[];
  /** All that there were. */
  readonly tasks: readonly TaskKey[];
  /** How many tasks ended as what. */
  readonly ends: Readonly<Record<string, number>>;
}

export class Simulation {
  readonly seed: number;
  readonly rng: Rng;
  readonly hearing = new Hearing(this);
  /** Which attempts fall silent on the way, and what their nodes say of that. */
  readonly silence: Rng;
  /** What befalls machines, and which repairs help. */
  readonly ills: Rng;
  readonly money: Money;
  readonly faults: Faults;
  readonly timeline = new Timeline();
  readonly scenario: Scenario;
  readonly truth: Truth;
  readonly nodes: ReadonlyMap<NodeName, VirtualNode>;
  readonly person: Person;
  readonly provider: Provider;
  readonly bell = new Bell();
  readonly misfortunes: Misfortunes;
  readonly hooks: Hooks = { beforeTurn: [], afterTurn: [] };
  /** Another one after a backup was put back. */
  store: Store;
  /** No more faults: everything is mended. */
  calm = false;
  controller: VirtualController | null = null;
  /** Attempts that no store knows any more: an earlier one was put back. */
  readonly forgotten = new Set<Token>();
  /** What was durable of each task last. */
  readonly durable = new Map<TaskKey, { readonly n: number; readonly progress: Progress }>();
  /** Highest entry of each journal that a durable event came from. */
  readonly applied = new Map<string, number>();
  readonly streams: { readonly of: VirtualController; readonly stream: Stream }[] = [];
  readonly #waiting: { readonly span: number; readonly run: () => void | Promise<void> }[] = [];
  readonly #drift: number;
  /** How far what was durable of each journal ever reached. */
  readonly #cursors = new Map<string, number>();
  #offset = 1_700_000_000_000;
  readonly #accidents: Accidents;
  readonly #tokens: Rng;
  readonly #digest = createHash('sha256');
  readonly #trace: string[] = [];
  readonly #violations: string[] = [];
  #unhashed = '';
  #steps = 0;
  #lookedAt = { of: null as VirtualController | null, turns: 0, finished: false };
  #workedMs = 0;
  #wasWorking = false;
  #events = 0;
  #commits = 0;
  #starting = false;

  /** @param only the faults and the tasks that it may have. */
  constructor(seed: number, store: Store, only: Only = null) {
    this.seed = seed;
    this.store = store;
    this.faults = new Faults(seed, only, () => this.timeline.now);
    this.rng = new Rng(seed);
    this.#tokens = new Rng(seed ^ 0x5bf03635);
    this.silence = new Rng(seed ^ 0x6c8e9cf5);
    this.ills = new Rng(seed ^ 0x3c6ef372);
    this.money = new Money(new Rng(seed ^ 0x3c6ef372));
    const drawn = withMenu(
      drawScenario(this.rng, (part) => Rng.of(seed, part), this.ills),
      Rng.of(seed, 'menu'),
    );
    const projects = this.money.withBounds(drawn.projects, Rng.of(seed, 'bounds'));
    this.scenario = { ...drawn, projects, tasks: this.money.withLimits(drawn.tasks) };
    this.#drift = driftOf(this);
    this.truth = new Truth(this.scenario);
    this.nodes = new Map(this.scenario.nodes.map((config) => [config.name, new VirtualNode(this, config)]));
    this.person = new Person(this);
    this.provider = new Provider(this);
    this.misfortunes = new Misfortunes(this);
    this.#accidents = new Accidents(this);
  }

  /** Runs to the end, or to the first step after which something does not hold. */
  async run(): Promise<Outcome> {
    try {
      this.person.begin();
      await this.#startController();
      this.#accidents.begin();
      await this.#until(this.scenario.faultsMs, () => false);
      this.#mend();
      if (this.controller !== null) this.#lookOver(this.controller);
      const done = await this.#until(this.timeline.now + HEALING_MS, () => this.#isFinished());
      if (!done && this.#violations.length === 0) {
        this.found(Array.from(unfinished(this), (what) => `not over in time: ${what}`));
      }
      if (this.#violations.length === 0) await this.#checkReplay();
    } catch (error) {
      this.#violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    return this.#outcome();
  }

  /** Wall clock, milliseconds. */
  wall(): number {
    return this.#offset + this.timeline.now + Math.round(this.timeline.now * this.#drift);
  }

  #hash(): void {
    this.#digest.update(this.#unhashed);
    this.#unhashed = '';
  }

  keeps(project: ProjectName, task: TaskId): boolean {
    return this.faults.keeps(taskKey(project, task));
  }

  jumpClock(span: number): void {
    this.#offset += span;
  }

  node(name: NodeName): VirtualNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  log(line: string): void {
    const entry = `${this.timeline.now} ${line}`;
    this.#unhashed += `${entry}\n`;
    if (this.#unhashed.length > HASHED_AT_ONCE) this.#hash();
    this.#trace.push(entry);
    if (this.#trace.length > 2 * TRACE_KEPT) this.#trace.splice(0, TRACE_KEPT);
  }

  /** A command that the controller is given now, if one lives. */
  ask(command: Command): void {
    this.log(`person: ${command.verb}`);
    this.controller?.push({ is: 'command', command });
  }

  /** Runs so long after something next is under way: effects of a turn have just gone out. */
  whenStirred(span: number, run: () => void | Promise<void>): void {
    this.#waiting.push({ span, run });
  }

  stir(): void {
    for (const { span, run } of this.#waiting.splice(0)) this.timeline.after(span, run);
  }

  found(violationsFound: readonly string[]): void {
    this.#violations.push(...violationsFound);
  }

  opened(of: VirtualController, stream: Stream): void {
    if (this.streams.length > 64) {
      this.streams.splice(0, this.streams.length, ...this.streams.filter((one) => one.stream.open));
    }
    this.streams.push({ of, stream });
  }

  /** A transaction is durable: what it says can be held against the controllers that come after. */
  committed(controller: VirtualController, events: readonly NewEvent[]): void {
    this.#events += events.length;
    this.bell.committed(controller.core.state, events);
    this.misfortunes.committed(events.length);
    for (const { fact } of events) if (fact.type === 'task.retried') this.truth.askedAgain(fact.task);
    this.found(durableViolations(this, controller.core.state, events));
    this.found(this.provider.violations(controller.core.state, events, this.wall()));
    for (const { key, n, progress } of controller.core.state.tasks.values()) {
      const before = this.durable.get(key);
      if (before?.n !== n || before.progress !== progress) this.durable.set(key, { n, progress });
    }
    for (const { journal, cursor } of controller.core.state.nodes.values())
      if (journal !== null) this.#cursors.set(journal, Math.max(cursor, this.#cursors.get(journal) ?? 0));
    this.#commits += 1;
    if (this.#commits % LOOKED_OVER_EVERY === 0) this.#lookOver(controller);
  }

  /** The whole state; what each turn touched has been looked at in the turn. */
  #lookOver({ core }: VirtualController): void {
    this.found(violations(core.state, AROUND));
  }

  /** A node is told that it need not keep its journal up to there: so much must be durable, or have been once. */
  acknowledged(journal: string, seq: number): void {
    const durable = this.#cursors.get(journal) ?? 0;
    if (seq > durable) this.found([`${journal}: acknowledged up to ${seq}, and ${durable} is durable`]);
  }

  /** A controller that died is followed by another one, after a while. */
  controllerDied(controller: VirtualController): void {
    if (this.controller !== controller) return;
    this.controller = null;
    this.restart(this.calm ? 1_000 : this.rng.magnitude(100, HOUR));
  }

  restart(span: number): void {
    if (this.#starting) return;
    this.#starting = true;
    this.timeline.after(span, () => this.#startController());
  }

  /** Starts another controller although this one lives; which of them is right, the store knows. */
  async supersede(): Promise<void> {
    await this.#startController();
  }

  async #startController(): Promise<void> {
    this.#starting = false;
    const lease = await this.store.acquire('sim', 1, this.wall());
    if (this.faults.strikes('death', this.scenario.dieInTurn) !== null) {
      this.faults.specify('before it has read anything');
      this.log(`controller ${lease.epoch} dies before it has read anything`);
      return this.restart(this.rng.magnitude(100, HOUR));
    }
    const state = await this.store.load();
    const core = new Core(state, { epoch: lease.epoch, random: () => this.#tokens.bytes() });
    const controller = new VirtualController(this, core, lease);
    this.controller = controller;
    this.log(`controller ${lease.epoch} starts`);
    controller.begin(this.person.opening());
  }

  async #until(moment: number, done: () => boolean): Promise<boolean> {
    while (this.timeline.now < moment) {
      if (this.#violations.length > 0) return false;
      if (done()) return true;
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) {
        this.found([`not over in time: it goes round in circles, ${MOST_STEPS} steps so far`]);
        return false;
      }
      const before = this.timeline.now;
      const works = this.#works();
      const stepped = this.timeline.step();
      if (!(typeof stepped === 'boolean' ? stepped : await stepped)) return done();
      if (works) this.#workedMs += this.timeline.now - before;
      if (this.truth.violations.length > 0) this.found(this.truth.violations.splice(0));
      if (this.bell.violations.length > 0) this.found(this.bell.violations.splice(0));
    }
    return done();
  }

  /** Something runs somewhere, or is about to. */
  #works(): boolean {
    const core = this.controller?.core;
    if (core === undefined) return this.#wasWorking;
    this.#wasWorking = core.memory.inflight.size > 0 || isAnythingLive(core.state);
    return this.#wasWorking;
  }

  #mend(): void {
    this.log('everything is mended');
    this.calm = true;
    this.faults.end();
    for (const node of this.nodes.values()) {
      node.wake();
      node.reappear();
      node.ills.recover();
    }
    this.misfortunes.mend();
    this.money.lift();
    this.person.mend();
    this.controller?.core.setBudget(this.money.rules);
  }

  /** Asked after every step, and answered anew only after a turn. */
  #isFinished(): boolean {
    const { controller } = this;
    if (controller === null || !controller.idle) return false;
    const { of, turns, finished } = this.#lookedAt;
    if (of === controller && turns === controller.turns) return finished;
    this.#lookedAt = {
      of: controller,
      turns: controller.turns,
      finished: unfinished(this).next().done === true,
    };
    return this.#lookedAt.finished;
  }

  async #checkReplay(): Promise<void> {
    if (this.controller !== null) this.#lookOver(this.controller);
    const differences = await this.store.replayCheck();
    this.found(endViolations(this));
    this.found(differences.map((one) => `replay differs: ${JSON.stringify(one)}`));
    if (this.controller !== null) {
      this.found(loadedDifferences(this.controller.core.state, await this.store.load()));
    }
  }

  #outcome(): Outcome {
    this.#hash();
    const ends: Record<string, number> = {};
    for (const { progress } of this.durable.values()) ends[progress.at] = (ends[progress.at] ?? 0) + 1;
    return {
      seed: this.seed,
      steps: this.#steps,
      elapsed: this.timeline.now,
      worked: this.#workedMs,
      events: this.#events,
      violations: [...this.#violations],
      trace: this.#trace.slice(-TRACE_KEPT),
      digest: this.#digest.digest('hex'),
      struck: [...this.faults.struck],
      tasks: [...this.durable.keys()],
      ends,
    };
  }
}

function isAnythingLive({ live }: State): boolean {
  for (const { size } of live.values()) if (size > 0) return true;
  return false;
}
