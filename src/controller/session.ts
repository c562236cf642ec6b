/**
 * A controller's life (see open-session.ts for its birth): connects the nodes, runs the loop, serves commands on its
 * socket, and lets go of all of it on `detach` — while every agent goes on.
 */
import { randomBytes } from 'node:crypto';
import type { BudgetRules } from '../model/budget.ts';
import type { DispatchError } from '../model/error.ts';
import type { Event } from '../model/event.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { NodeProgram } from '../node/program.ts';
import { isCutOff, silenceOf } from '../schedule/lease.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { Lease, Store } from '../store/port.ts';
import { Acks } from './acks.ts';
import { changesAlerts } from './alerts.ts';
import { answerTo, type KeeperAnswers } from './answers.ts';
import { Asides } from './asides.ts';
import type { PartStanding } from './breakers.ts';
import { BudgetNews } from './budget-news.ts';
import { systemClock } from './clock.ts';
import type { Reply } from './commands.ts';
import { Core } from './core.ts';
import { DoubtNews } from './doubt-news.ts';
import type { Command, Input } from './door.ts';
import { Fleet } from './fleet.ts';
import { Hands } from './hands.ts';
import type { HealthDesk } from './health.ts';
import { healthOf } from './health-of-session.ts';
import { Hubs } from './hubs.ts';
import { isAnybodySilent } from './leases.ts';
import { Loop } from './loop.ts';
import { LoopDelay } from './measure.ts';
import { NetworkNews } from './network-news.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';
import type { NodeLook } from './questions.ts';
import { watchForSleep } from './sleep-watch.ts';
import { serveRequests } from './socket.ts';
import { SpaceNews } from './space-news.ts';
import { type LoadedProject, Takeover } from './takeover.ts';
import { Waits } from './waits.ts';

export interface SessionOptions {
  readonly home: string;
  /** nodes.json, validated. */
  readonly nodes: readonly NodeConfig[];
  /** Validated projects to take over from disk; empty for a session that only gives a command. */
  readonly projects: readonly LoadedProject[];
  /** Of dispatch.yaml; missing where no work starts. */
  readonly budget?: BudgetRules;
  readonly onEvents?: (events: readonly Event[], state: State) => void;
  readonly onNote?: (note: Note) => void;
  /** Absent for a session of one verb. */
  readonly keeper?: KeeperAnswers;
  /** Takes a project of this session over from disk again, for whoever has written specs; absent: nobody may ask. */
  readonly again?: (project: ProjectName) => Promise<Reply>;
}

/** Between two looks at the whole state. */
const DAY_MS = 24 * 60 * 60_000;

/** What a session is made of. */
export interface Opened {
  readonly store: Store;
  readonly lease: Lease;
  readonly program: NodeProgram;
  readonly state: State;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #core: Core;
  readonly #hubs: Hubs;
  readonly #hands: Hands;
  readonly #loop: Loop;
  readonly #fleet: Fleet;
  readonly #acks = new Acks((upTo) => this.#fleet.acknowledge(upTo));
  readonly #budgets = new BudgetNews();
  readonly #doubts = new DoubtNews();
  readonly #space = new SpaceNews();
  readonly #network = new NetworkNews();
  readonly #takeover: Takeover;
  /** What a caller can wait for: `session.until.settled(…)`. */
  readonly until: Waits;
  /** How late this process is. */
  readonly delay = new LoopDelay();
  readonly health: HealthDesk;
  #endSleepWatch: (() => void) | null = null;
  #dailyLook: NodeJS.Timeout | null = null;
  #stopServing: (() => Promise<void>) | null = null;
  #detached: Promise<void> | null = null;

  constructor(options: SessionOptions, { store, lease, program, state }: Opened) {
    this.#options = options;
    this.#store = store;
    this.#lease = lease;
    const { epoch } = lease;
    const paths = homePaths(options.home);
    const push = (input: Input): void => this.#loop.push(input);
    const note = (one: Note): void => this.#note(one);
    this.#core = new Core(state, { epoch, random: () => randomBytes(16) });
    if (options.budget !== undefined) this.#core.setBudget(options.budget);
    this.#hubs = new Hubs(state, paths.repos, paths.temporary);
    this.#fleet = new Fleet({
      state,
      epoch,
      controller: `${lease.host}:${lease.pid}`,
      program,
      push,
      note,
      onUp: (node) => this.#hubs.forgetNode(node),
      needsSandbox: () => this.#takeover.needsSandbox,
    });
    this.#takeover = new Takeover({
      state,
      hubs: this.#hubs,
      push,
      note,
      ask: (command) => this.#loop.ask(command),
      lookAround: () => this.#fleet.lookAround(),
    });
    this.until = new Waits(this.#core, () => this.nodes);
    this.#hands = new Hands({
      state,
      epoch,
      store,
      fleet: this.#fleet,
      hubs: this.#hubs,
      push,
      note,
      onSuperseded: (error) => this.#fail(error),
    });
    const { memory } = this.#core;
    const asides = new Asides({ home: options.home, state, memory, now: () => systemClock.wall(), note });
    this.#loop = new Loop({
      core: this.#core,
      store,
      lease,
      clock: systemClock,
      perform: (effect) => this.#hands.perform(effect),
      onEvents: (events) => {
        this.#acks.note(events);
        options.onEvents?.(events, state);
      },
      onAside: (input, error) => {
        if (input.is === 'node.up') this.#fleet.renew(input.node);
        return asides.put(input, error);
      },
      onNoSpace: (error) => this.#tell(this.#space.look(error)),
      onTurn: () => {
        this.#tell(this.#doubts.look(this.doubts));
        this.#tell(this.#budgets.look(this.snapshot(), systemClock.wall()));
        this.until.look();
      },
      onStopped: (error) => this.#fail(error),
    });
    this.health = healthOf({
      home: options.home,
      store,
      lease,
      core: this.#core,
      fleet: this.#fleet,
      hubs: this.#hubs,
      space: this.#space,
      looks: () => this.looks(),
      parts: () => this.parts,
      delay: this.delay,
    });
  }

  get state(): State {
    return this.#core.state;
  }

  snapshot(): Snapshot {
    return this.#core.snapshot();
  }

  /** The nodes in use. */
  get nodes(): readonly NodeConfig[] {
    return this.#fleet.configs;
  }

  /** The last problem of each node, for people. */
  get troubles(): ReadonlyMap<NodeName, DispatchError> {
    return this.#fleet.troubles;
  }

  /** What must hold of the state and does not; empty when all is well. */
  get doubts(): ReadonlySet<string> {
    return this.#core.memory.doubts;
  }

  /** Takes the projects over, sets their hubs up, and lets the nodes connect. @throws before anything has started. */
  async begin(): Promise<void> {
    this.#loop.push({ is: 'acquired', host: this.#lease.host, pid: this.#lease.pid });
    // Whoever asks before a node is connected is to see all of them.
    this.#core.setNodes(this.#options.nodes);
    this.#lookOver();
    this.#dailyLook = setInterval(() => this.#lookOver(), DAY_MS).unref();
    for (const project of this.#options.projects) await this.take(project);
    this.#stopServing = await this.#serve();
    this.follow(this.#options.nodes);
    this.#endSleepWatch = watchForSleep({
      onWoke: (sleptMs) => {
        this.#loop.push({ is: 'woke', sleptMs });
        this.#fleet.wake();
      },
      onAwake: (ms) => {
        if (isAnybodySilent(this.snapshot())) this.#loop.push({ is: 'awake', ms });
        this.#tell(this.#network.look(this.#isCutOff()));
      },
    });
  }

  /** Takes a project over from disk as it is now. @throws DispatchError what keeps its hub from being set up. */
  take(project: LoadedProject): Promise<void> {
    return this.#takeover.take(project);
  }

  /** Uses these nodes from now on. @returns those that are let go only when their attempts have ended. */
  follow(nodes: readonly NodeConfig[]): NodeName[] {
    const kept = this.#fleet.follow(nodes);
    this.#core.setNodes(this.#fleet.configs);
    this.#loop.push({ is: 'tick' });
    return kept;
  }

  /** The rules of alerts were held against the state and this machine. */
  judged(judged: Omit<Extract<Input, { is: 'alerts.judged' }>, 'is'>): void {
    if (changesAlerts(this.state.alerts, judged, systemClock.wall()))
      this.#loop.push({ is: 'alerts.judged', ...judged });
  }

  /** False: another controller has taken over, and whatever is to be told is told by that one. */
  async isInCharge(): Promise<boolean> {
    const holder = await this.#store.holder();
    return holder === null || holder.epoch === this.#lease.epoch;
  }

  /** A sink took the news of these alerts. */
  told(told: Omit<Extract<Input, { is: 'alerts.told' }>, 'is'>): void {
    this.#loop.push({ is: 'alerts.told', ...told });
  }

  /** How the parts of the controller are doing, by name. */
  get parts(): ReadonlyMap<string, PartStanding> {
    return this.#hands.parts;
  }

  /** How the nodes are doing, as they said last. */
  looks(): NodeLook[] {
    return this.#fleet.looks().map((look) => ({ ...look, silence: silenceOf(this.snapshot(), look.name) }));
  }

  /** What may be spent from now on. */
  allow(rules: BudgetRules): void {
    this.#core.setBudget(rules);
    this.#loop.push({ is: 'tick' });
  }

  /** Answered when it is durable. */
  command(command: Command): Promise<Reply> {
    return this.#loop.ask(command);
  }

  /** Lets go of nodes, socket and lease. Agents go on. Harmless when called twice. */
  detach(): Promise<void> {
    this.#detached ??= this.#letGo();
    return this.#detached;
  }

  async #letGo(): Promise<void> {
    this.#hands.letGo();
    this.#endSleepWatch?.();
    if (this.#dailyLook !== null) clearInterval(this.#dailyLook);
    this.delay.stop();
    await this.#stopServing?.();
    await this.#loop.stop();
    this.#acks.stop();
    await this.#fleet.stop();
    await this.#hands.stop();
    await this.#store.release(this.#lease).catch(() => undefined);
    await this.#store.close();
  }

  #serve(): Promise<() => Promise<void>> {
    const { home, keeper, again } = this.#options;
    const answering = {
      pid: this.#lease.pid,
      core: this.#core,
      health: this.health,
      looks: () => this.looks(),
      isCutOff: () => this.#isCutOff(),
      keeper,
      again,
    };
    return serveRequests(homePaths(home).socket, (request) =>
      'verb' in request ? this.command(request) : answerTo(request, answering),
    );
  }

  #fail(error: unknown): void {
    void this.#loop.stop();
    this.until.fail(error);
  }

  /** Looks at the whole state, which a turn does not. */
  #lookOver(): void {
    this.#core.lookOver();
    this.#tell(this.#doubts.look(this.doubts));
  }

  /** Every machine was tried, and none answers. */
  #isCutOff(): boolean {
    const { tried } = this.#core.memory;
    return this.nodes.every(({ name }) => tried.has(name)) && isCutOff(this.snapshot());
  }

  #tell(notes: readonly Note[]): void {
    for (const note of notes) this.#note(note);
  }

  #note(note: Note): void {
    this.#options.onNote?.(note);
  }
}
