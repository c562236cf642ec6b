/**
 * A controller's life: takes the lease, loads the state, connects the nodes, runs the loop, serves commands on its
 * socket, and lets go of all of it on `detach` — while every agent goes on.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { backUpStore } from '../backup/make.ts';
import { assertNever } from '../model/assert.ts';
import type { BudgetRules } from '../model/budget.ts';
import { DispatchError } from '../model/error.ts';
import type { Event } from '../model/event.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { loadProgram, type NodeProgram } from '../node/program.ts';
import { isCutOff, silenceOf } from '../schedule/lease.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { Lease, Store } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { changesAlerts } from './alerts.ts';
import { Acks } from './acks.ts';
import { Breakers } from './breakers.ts';
import { systemClock } from './clock.ts';
import type { Reply } from './commands.ts';
import { BudgetNews } from './budget-news.ts';
import { Core } from './core.ts';
import { DoubtNews, doubtError } from './doubt-news.ts';
import type { Command, Effect, Input } from './door.ts';
import { Fleet } from './fleet.ts';
import { performOnHub } from './hub-effects.ts';
import { HubCare } from './hub-care.ts';
import { HealthDesk, type HealthReport } from './health.ts';
import { type Checked, deepChecks, readyChecks } from './health-checks.ts';
import { LoopDelay } from './measure.ts';
import { Hubs } from './hubs.ts';
import { isAnybodySilent } from './leases.ts';
import { Loop } from './loop.ts';
import { performNodeEffect } from './node-effects.ts';
import type { Note } from './note.ts';
import { homePaths } from './paths.ts';
import type { About, NodeLook, Question } from './questions.ts';
import { type Settlement, settlement } from './settlement.ts';
import { watchForSleep } from './sleep-watch.ts';
import { serveRequests } from './socket.ts';

export interface LoadedProject {
  readonly config: ProjectConfig;
  readonly specs: readonly { readonly spec: TaskSpec; readonly text: string }[];
}

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
  /** Answers for whoever keeps the home with this session; absent for a session of one verb. */
  readonly keeper?: {
    readonly take: (project: ProjectName, skipControl: string | undefined) => Promise<Reply>;
    readonly refused: () => About['refused'];
  };
  /** Takes a project of this session over from disk again, for whoever has written specs; absent: nobody may ask. */
  readonly again?: (project: ProjectName) => Promise<Reply>;
}

/** Between two looks at the whole state. */
const DAY_MS = 24 * 60 * 60_000;
/** Longest wait for a reply of a node that is being let go. */
const QUIESCE_MS = 10_000;

export async function openSession(options: SessionOptions): Promise<Session> {
  const paths = homePaths(options.home);
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore(paths.database, {
    beforeUpgrade: () =>
      backUpStore({ home: options.home, ...paths }, { reason: 'upgrade', now: new Date(systemClock.wall()) }),
  });
  try {
    const lease = await store.acquire(hostname(), process.pid, systemClock.wall());
    try {
      const program = await loadProgram();
      const session = new Session(options, { store, lease, program, state: await store.load() });
      await session.begin();
      return session;
    } catch (error) {
      await store.release(lease);
      throw error;
    }
  } catch (error) {
    await store.close();
    throw error;
  }
}

export class Session {
  readonly #options: SessionOptions;
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #core: Core;
  readonly #hubs: Hubs;
  readonly #care: HubCare;
  readonly #loop: Loop;
  readonly #fleet: Fleet;
  readonly #acks = new Acks((upTo) => this.#fleet.acknowledge(upTo));
  readonly #budgets = new BudgetNews();
  readonly #sandboxed = new Set<ProjectName>();
  /** How late this process is. */
  readonly delay = new LoopDelay();
  readonly health: HealthDesk;
  readonly #breakers = new Breakers({
    onNote: (note) => this.#note(note),
    restart: (project) => this.#restart(project),
    safe: (project, on) => this.#loop.push({ is: 'safe', project, on }),
  });
  readonly #doubts = new DoubtNews((note) => this.#note(note));
  #endSleepWatch: (() => void) | null = null;
  #dailyLook: NodeJS.Timeout | null = null;
  #stopServing: (() => Promise<void>) | null = null;
  #watchers: (() => void)[] = [];
  #failure: unknown = null;
  #noSpace = false;
  #cutOff = false;
  #detached: Promise<void> | null = null;

  constructor(
    options: SessionOptions,
    {
      store,
      lease,
      program,
      state,
    }: {
      readonly store: Store;
      readonly lease: Lease;
      readonly program: NodeProgram;
      readonly state: State;
    },
  ) {
    this.#options = options;
    this.#store = store;
    this.#lease = lease;
    const paths = homePaths(options.home);
    this.#core = new Core(state, { epoch: lease.epoch, random: () => randomBytes(16) });
    if (options.budget !== undefined) this.#core.setBudget(options.budget);
    this.#hubs = new Hubs(state, paths.repos, paths.temporary);
    this.#care = new HubCare(() => this.#hubs.opened());
    this.#fleet = new Fleet({
      state,
      epoch: lease.epoch,
      controller: `${lease.host}:${lease.pid}`,
      program,
      push: (input) => this.#loop.push(input),
      note: (note) => this.#note(note),
      onUp: (node) => this.#hubs.forgetNode(node),
      needsSandbox: () => this.#sandboxed.size > 0,
    });
    this.#loop = new Loop({
      core: this.#core,
      store,
      lease,
      clock: systemClock,
      perform: (effect) => this.#perform(effect),
      onEvents: (events) => {
        this.#acks.note(events);
        options.onEvents?.(events, state);
      },
      onNoSpace: (error) => this.#spaceNews(error),
      onTurn: () => {
        this.#doubtNews();
        this.#budgetNews();
        this.#look();
      },
      onStopped: (error) => this.#fail(error),
    });
    const checked = this.#checked();
    this.health = new HealthDesk({ ready: () => readyChecks(checked), deep: () => deepChecks(checked) });
  }

  /** What there is to try. */
  #checked(): Checked {
    return {
      home: this.#options.home,
      pid: this.#lease.pid,
      nodes: () => this.#fleet.configs,
      looks: () => this.looks(),
      holds: () => this.#holds(),
      untried: () =>
        this.#fleet.configs.flatMap(({ name }) => (this.#core.memory.tried.has(name) ? [] : [name])),
      hubs: () =>
        [...this.state.projects.values()].flatMap(({ name: project, config, integration }) =>
          config.repo === null || integration === null
            ? []
            : [{ project, tip: async () => (await this.#hubs.of(project)).integration() }],
        ),
      delay: this.delay,
      lookOver: () => this.#core.lookOver(),
    };
  }

  async #holds(): Promise<void> {
    if (this.#noSpace) throw new Error('the last commit found no space on the disk; it is tried again');
    const holder = await this.#store.holder();
    if (holder?.epoch !== this.#lease.epoch) throw new Error('another controller has taken over');
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
    this.#stopServing = await serveRequests(homePaths(this.#options.home).socket, (request) =>
      'verb' in request ? this.command(request) : this.#answer(request),
    );
    this.follow(this.#options.nodes);
    this.#endSleepWatch = watchForSleep({
      onWoke: (sleptMs) => {
        this.#loop.push({ is: 'woke', sleptMs });
        this.#fleet.wake();
      },
      onAwake: (ms) => {
        if (isAnybodySilent(this.snapshot())) this.#loop.push({ is: 'awake', ms });
        this.#networkNews();
      },
    });
  }

  /** Takes a project over from disk as it is now. @throws DispatchError what keeps its hub from being set up. */
  async take({ config, specs }: LoadedProject): Promise<void> {
    const before = this.state.projects.get(config.name)?.config;
    if (before?.repo !== config.repo || before.target !== config.target) this.#hubs.reopen(config.name);
    const reply = await this.#loop.ask({ verb: 'load', config, specs });
    if (!reply.ok) throw new DispatchError(reply.code, reply.message);
    for (const message of reply.notes)
      this.#note({ about: 'spec', name: config.name, code: null, message, fix: null });
    if (needsSandbox({ config, specs })) this.#sandboxed.add(config.name);
    else this.#sandboxed.delete(config.name);
    this.#fleet.lookAround();
    if (config.repo === null) return;
    const hub = await this.#hubs.of(config.name);
    const integration = await hub.base();
    this.#loop.push({ is: 'based', key: `base:${config.name}`, project: config.name, integration });
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

  /** A sink took the news of these alerts. */
  told(told: Omit<Extract<Input, { is: 'alerts.told' }>, 'is'>): void {
    this.#loop.push({ is: 'alerts.told', ...told });
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

  /** Resolves when nothing more can happen without a person. @throws what stopped the controller. */
  async settled(projects: readonly ProjectName[]): Promise<Settlement> {
    return this.#until(() => {
      if (this.doubts.size > 0 && isQuiet(this.state)) throw doubtError(this.doubts);
      return settlement(this.snapshot(), projects, systemClock.wall());
    });
  }

  /** Resolves when this holds of the state. @throws what stopped the controller. */
  async reached(holds: (state: State) => boolean): Promise<void> {
    await this.#until(() => (holds(this.state) ? true : null));
  }

  /** Settles never. @throws what stopped the controller. */
  async stopped(): Promise<never> {
    return this.#until<never>(() => null);
  }

  /** Resolves when no collect of this project is under way any more. @throws what stopped the controller. */
  async collected(project: ProjectName): Promise<void> {
    await this.#until(() => (this.state.projects.get(project)?.delivery == null ? true : null));
  }

  /** Resolves when every node has been reached or found unreachable; false when none could be reached. */
  async nodesTried(): Promise<boolean> {
    const { connected, tried } = this.#core.memory;
    return this.#until(() => {
      if (connected.size > 0) return true;
      return this.#fleet.configs.every((config) => tried.has(config.name)) ? false : null;
    });
  }

  /** Resolves when the node was reached, or found unreachable. @throws what stopped the controller. */
  async nodeTried(node: NodeName): Promise<void> {
    const known = this.#fleet.configs.some(({ name }) => name === node);
    await this.#until(() => (!known || this.#core.memory.tried.has(node) ? true : null));
  }

  /**
   * Resolves when no node can be reached and, by the caller's word on the state, nothing goes on without one. Links are
   * tried on meanwhile; a node that answers ends the waiting for good.
   */
  async stranded(withoutNodes: (state: State) => boolean): Promise<void> {
    const { connected } = this.#core.memory;
    const reached =
      (await this.nodesTried()) ||
      (await this.#until(() => (connected.size > 0 ? true : withoutNodes(this.state) ? false : null)));
    if (reached) await new Promise<never>(() => undefined);
  }

  /** Resolves when every cancel that a reachable node has to hear was taken, or after a while. */
  async quiesce(): Promise<void> {
    const { connected, tried, cancelling } = this.#core.memory;
    const heard = (): true | null => {
      if (!this.#fleet.configs.every((config) => tried.has(config.name))) return null;
      for (const token of this.state.fenced) {
        const node = this.state.attempts.get(token)?.node;
        if (node !== undefined && connected.has(node) && !cancelling.has(token)) return null;
      }
      return true;
    };
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, QUIESCE_MS);
    });
    await Promise.race([this.#until(heard), limit]);
    clearTimeout(timer);
  }

  /** Lets go of nodes, socket and lease. Agents go on. Harmless when called twice. */
  detach(): Promise<void> {
    this.#detached ??= this.#letGo();
    return this.#detached;
  }

  async #letGo(): Promise<void> {
    this.#endSleepWatch?.();
    if (this.#dailyLook !== null) clearInterval(this.#dailyLook);
    this.delay.stop();
    await this.#stopServing?.();
    await this.#loop.stop();
    this.#acks.stop();
    await this.#fleet.stop();
    await this.#care.stop();
    await this.#store.release(this.#lease).catch(() => undefined);
    await this.#store.close();
  }

  async #answer(question: Question): Promise<Reply | About | readonly NodeLook[] | HealthReport> {
    const { keeper } = this.#options;
    switch (question.ask) {
      case 'about': {
        const refused = keeper?.refused() ?? [];
        const controls = [...(this.snapshot().controls ?? [])];
        const kind = keeper === undefined ? 'verb' : 'serve';
        const { silent } = this.#core.memory;
        const quiet = { silent: [...silent], cutOff: this.#isCutOff() };
        return { kind, pid: this.#lease.pid, refused, controls, ...quiet };
      }
      case 'nodes':
        return this.looks();
      case 'health':
        return this.health.deep();
      case 'take':
        if (keeper !== undefined) return keeper.take(question.project, question.skipControl);
        if (this.#options.again !== undefined) return this.#options.again(question.project);
        return { ok: false, code: 'E_CONTROLLER_RUNNING', message: 'this controller ends with its own verb' };
      default:
        return assertNever(question);
    }
  }

  async #perform(effect: Effect): Promise<Input> {
    const input = await this.#care.during(() => this.#performNow(effect));
    if (this.#detached === null) this.#breakers.heard(effect, input);
    // What was under way when the nodes were let go is asked for again by the next controller.
    if (input.is === 'effect.failed' && this.#detached === null) {
      const { code, message, why, fix = null } = input.problem;
      const told = why === undefined ? message : `${message}: ${why}`;
      this.#note({ about: 'effect', name: effect.key, code, message: told, fix });
    }
    return input;
  }

  async #performNow(effect: Effect): Promise<Input> {
    switch (effect.do) {
      case 'mend':
        return this.#fleet.mend(effect);
      case 'start':
      case 'cancel':
      case 'forget':
        return performNodeEffect(effect, {
          state: this.state,
          epoch: this.#lease.epoch,
          links: this.#fleet.links,
          hubs: this.#hubs,
          orders: {
            epoch: this.#lease.epoch,
            specText: async (task) => (await this.#store.specText(task.key)) ?? '',
            readFile: async (project, commit, path) =>
              (await this.#hubs.of(project.name)).readFile(commit, path),
          },
          onSuperseded: (node) => this.#superseded(node),
          onNoSpace: (node) => this.#fleet.look(node),
        });
      default:
        return performOnHub(effect, { state: this.state, hubs: this.#hubs, links: this.#fleet.links });
    }
  }

  /** Hubs are opened anew when they are next needed. */
  #restart(project: ProjectName | null): void {
    for (const name of project === null ? this.state.projects.keys() : [project]) this.#hubs.reopen(name);
  }

  #superseded(node: NodeName): void {
    this.#fail(
      new DispatchError(
        'E_FENCED',
        `another controller has taken over (node ${node} has seen a newer epoch)`,
        {
          fix: 'dispatch status',
        },
      ),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    void this.#loop.stop();
    this.#look();
  }

  /** Looks at the whole state, which a turn does not. */
  #lookOver(): void {
    this.#core.lookOver();
    this.#doubtNews();
  }

  #doubtNews(): void {
    this.#doubts.look(this.doubts);
  }

  #budgetNews(): void {
    for (const note of this.#budgets.look(this.snapshot(), systemClock.wall())) this.#note(note);
  }

  /** Says once that nobody over the network answers, and once that somebody does again. */
  #networkNews(): void {
    if (this.#isCutOff() === this.#cutOff) return;
    this.#cutOff = !this.#cutOff;
    const message = this.#cutOff
      ? 'no machine over the network answers, so the fault is taken to be this machine’s own network: no lease runs down'
      : 'the network is back; leases run again';
    this.#note({ about: 'network', name: 'network', code: null, message, fix: null });
  }

  /** Every machine was tried, and none answers. */
  #isCutOff(): boolean {
    const { tried } = this.#core.memory;
    return this.#fleet.configs.every(({ name }) => tried.has(name)) && isCutOff(this.snapshot());
  }

  /** Says once that the disk is full, and once that it is not any more. */
  #spaceNews(error: DispatchError | null): void {
    if ((error !== null) === this.#noSpace) return;
    this.#noSpace = error !== null;
    const message = error?.message ?? 'there is space again; going on';
    const { code = null, fix = null } = error ?? {};
    this.#note({ about: 'store', name: 'state.db', code, message, fix });
  }

  #note(note: Note): void {
    this.#options.onNote?.(note);
  }

  /** Waiters look at the state after each turn. */
  #look(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  async #until<T>(condition: () => T | null): Promise<T> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const value = condition();
      if (value !== null) return value;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }
}

/** Nothing runs that could still bring something. */
function isQuiet({ live }: State): boolean {
  return [...live.values()].every(({ size }) => size === 0);
}

function needsSandbox({ config, specs }: LoadedProject): boolean {
  if (config.sandbox.trusted) return false;
  return config.verify !== null || specs.some(({ spec }) => spec.verify !== null);
}
