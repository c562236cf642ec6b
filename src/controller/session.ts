/**
 * A controller's life: takes the lease, loads the state, connects the nodes, runs the loop, serves commands on its
 * socket, and lets go of all of it on `detach` — while every agent goes on.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { DispatchError } from '../model/error.ts';
import type { Event, Source } from '../model/event.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { NodeConfig, ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { loadProgram, type NodeProgram } from '../node/program.ts';
import { NodeLink } from '../node/link.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { Lease, Store } from '../store/port.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';
import { Acks } from './acks.ts';
import { systemClock } from './clock.ts';
import type { Reply } from './commands.ts';
import { Core } from './core.ts';
import type { Command, Effect, Input } from './door.ts';
import { performOnHub } from './hub-effects.ts';
import { Hubs } from './hubs.ts';
import { Loop } from './loop.ts';
import { performNodeEffect } from './node-effects.ts';
import { homePaths } from './paths.ts';
import { type Settlement, settlement } from './settlement.ts';
import { serveCommands } from './socket.ts';

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
  readonly onEvents?: (events: readonly Event[], state: State) => void;
  /** Something that a person should know and that is no event: a node's first failure, a problem with an effect. */
  readonly onNote?: (note: Note) => void;
}

export interface Note {
  readonly about: 'node' | 'effect' | 'spec' | 'store';
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  /** What to type or edit, where one thing mends it. */
  readonly fix: string | null;
}

/** Longest wait for a reply of a node that is being let go. */
const QUIESCE_MS = 10_000;

export async function openSession(options: SessionOptions): Promise<Session> {
  const paths = homePaths(options.home);
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore(paths.database);
  try {
    const lease = await store.acquire(hostname(), process.pid, systemClock.wall());
    try {
      const session = new Session(options, store, lease, await store.load());
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
  readonly #loop: Loop;
  readonly #links = new Map<NodeName, NodeLink>();
  readonly #acks = new Acks((upTo) => this.#acknowledge(upTo));
  #stopServing: (() => Promise<void>) | null = null;
  #watchers: (() => void)[] = [];
  #failure: unknown = null;
  #noSpace = false;
  #detached: Promise<void> | null = null;
  readonly #sandboxAsked = new Set<NodeName>();
  /** The last problem of each node, for people. */
  readonly troubles = new Map<NodeName, DispatchError>();

  constructor(options: SessionOptions, store: Store, lease: Lease, state: State) {
    this.#options = options;
    this.#store = store;
    this.#lease = lease;
    const paths = homePaths(options.home);
    this.#core = new Core(state, { epoch: lease.epoch, random: () => randomBytes(16) });
    this.#core.setNodes(options.nodes);
    this.#hubs = new Hubs(state, paths.repos, paths.temporary);
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
      onTurn: () => this.#look(),
      onStopped: (error) => this.#fail(error),
    });
  }

  get state(): State {
    return this.#core.state;
  }

  snapshot(): Snapshot {
    return this.#core.snapshot();
  }

  /** Takes the projects over, sets their hubs up, and lets the nodes connect. @throws before anything has started. */
  async begin(): Promise<void> {
    this.#loop.push({ is: 'acquired', host: this.#lease.host, pid: this.#lease.pid });
    for (const { config, specs } of this.#options.projects) {
      const reply = await this.#loop.ask({ verb: 'load', config, specs });
      if (!reply.ok) throw new DispatchError(reply.code, reply.message);
      for (const message of reply.notes)
        this.#note({ about: 'spec', name: config.name, code: null, message, fix: null });
      if (config.repo === null) continue;
      const hub = await this.#hubs.of(config.name);
      const integration = await hub.base();
      this.#loop.push({ is: 'based', key: `base:${config.name}`, project: config.name, integration });
    }
    this.#stopServing = await serveCommands(homePaths(this.#options.home).socket, (command) =>
      this.command(command),
    );
    const program = await loadProgram();
    for (const config of this.#options.nodes) this.#connect(config, program);
  }

  /** Answered when it is durable. */
  command(command: Command): Promise<Reply> {
    return this.#loop.ask(command);
  }

  /** Resolves when nothing more can happen without a person. @throws what stopped the controller. */
  async settled(projects: readonly ProjectName[]): Promise<Settlement> {
    return this.#until(() => settlement(this.snapshot(), projects, systemClock.wall()));
  }

  /** Resolves when this holds of the state. @throws what stopped the controller. */
  async reached(holds: (state: State) => boolean): Promise<void> {
    await this.#until(() => (holds(this.state) ? true : null));
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
      return this.#options.nodes.every((config) => tried.has(config.name)) ? false : null;
    });
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
      if (!this.#options.nodes.every((config) => tried.has(config.name))) return null;
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
    await this.#stopServing?.();
    await this.#loop.stop();
    this.#acks.stop();
    await Promise.all([...this.#links.values()].map((link) => link.stop()));
    await this.#store.release(this.#lease).catch(() => undefined);
    await this.#store.close();
  }

  #connect(config: NodeConfig, program: NodeProgram): void {
    const { name } = config;
    const link = new NodeLink({
      config,
      epoch: this.#lease.epoch,
      controller: `${this.#lease.host}:${this.#lease.pid}`,
      program,
      cursor: () => {
        const node = this.state.nodes.get(name);
        return { journal: node?.journal ?? null, seq: node?.cursor ?? 0 };
      },
      onUp: (welcome, inventory) => {
        this.#hubs.forgetNode(name);
        this.troubles.delete(name);
        this.#loop.push({ is: 'node.up', node: name, welcome, inventory });
        void this.#checkSandbox(link, name);
      },
      onDown: (problem) => this.#trouble(name, problem),
      onTrouble: (problem) => this.#trouble(name, problem),
      onNews: (journal, entries) => this.#loop.push({ is: 'node.news', node: name, journal, entries }),
    });
    this.#links.set(name, link);
    link.start();
  }

  /** Only to the journal that the numbers count in: a node that was wiped meanwhile has another one. */
  #acknowledge({ node, journal, seq }: Source): void {
    const link = this.#links.get(node);
    if (link?.state.is !== 'up' || link.state.welcome.journal !== journal) return;
    link.call({ op: 'ack', seq }).catch(() => undefined);
  }

  /** A node without a sandbox refuses every verify command: said when it connects, not when the first task has ended. */
  async #checkSandbox(link: NodeLink, name: NodeName): Promise<void> {
    if (this.#sandboxAsked.has(name) || !this.#options.projects.some(needsSandbox)) return;
    this.#sandboxAsked.add(name);
    // What keeps it from answering is told by the link.
    const probe = await link.call({ op: 'probe', programs: [] }).catch(() => null);
    if (probe?.sandbox === undefined || probe.sandbox.by !== null || this.#detached !== null) return;
    const { detail, fix } = probe.sandbox;
    const message = `no verify command can run there: ${detail}`;
    this.#note({ about: 'node', name, code: 'E_NODE_NO_SANDBOX', message, fix });
  }

  /** A node that cannot be reached: said once per reason, however often it is tried. */
  #trouble(name: NodeName, problem: DispatchError): void {
    if (this.#detached !== null) return;
    const { code, message, why, fix = null } = problem;
    if (this.troubles.get(name)?.message !== message) {
      const told = why === undefined ? message : `${message}: ${why}`;
      this.#note({ about: 'node', name, code, message: told, fix });
    }
    this.troubles.set(name, problem);
    this.#loop.push({ is: 'node.down', node: name, reason: message });
  }

  async #perform(effect: Effect): Promise<Input> {
    const input = await this.#performNow(effect);
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
      case 'start':
      case 'cancel':
      case 'forget':
        return performNodeEffect(effect, {
          state: this.state,
          epoch: this.#lease.epoch,
          links: this.#links,
          hubs: this.#hubs,
          orders: {
            epoch: this.#lease.epoch,
            specText: async (task) => (await this.#store.specText(task.key)) ?? '',
            readFile: async (project, commit, path) =>
              (await this.#hubs.of(project.name)).readFile(commit, path),
          },
          onSuperseded: (node) => this.#superseded(node),
        });
      default:
        return performOnHub(effect, { state: this.state, hubs: this.#hubs, links: this.#links });
    }
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

function needsSandbox({ config, specs }: LoadedProject): boolean {
  if (config.sandbox.trusted) return false;
  return config.verify !== null || specs.some(({ spec }) => spec.verify !== null);
}
