/** What whoever uses a session waits for. Each wait looks at the state after every turn, and ends with what ended the session. */
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { systemClock } from './clock.ts';
import type { Core } from './core.ts';
import { doubtError } from './doubt-news.ts';
import { type Settlement, settlement } from './settlement.ts';

/** Longest wait for a reply of a node that is being let go. */
const QUIESCE_MS = 10_000;

/** Every wait throws what stopped the controller. */
export class Waits {
  readonly #core: Core;
  readonly #configs: () => readonly NodeConfig[];
  #watchers: (() => void)[] = [];
  #failure: unknown = null;

  /** @param configs the nodes in use. */
  constructor(core: Core, configs: () => readonly NodeConfig[]) {
    this.#core = core;
    this.#configs = configs;
  }

  /** A turn is over: whoever waits looks again. */
  look(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  /** The session has ended by this; the first reason wins. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.look();
  }

  /** Resolves when nothing more can happen without a person. */
  async settled(projects: readonly ProjectName[]): Promise<Settlement> {
    return this.#until(() => {
      const { memory, state } = this.#core;
      if (memory.doubts.size > 0 && isQuiet(state)) throw doubtError(memory.doubts);
      return settlement(this.#core.snapshot(), projects, systemClock.wall());
    });
  }

  /** Resolves when this holds of the state. */
  async reached(holds: (state: State) => boolean): Promise<void> {
    await this.#until(() => (holds(this.#core.state) ? true : null));
  }

  /** Settles never. */
  async stopped(): Promise<never> {
    return this.#until<never>(() => null);
  }

  /** Resolves when no collect of this project is under way any more. */
  async collected(project: ProjectName): Promise<void> {
    await this.#until(() => (this.#core.state.projects.get(project)?.delivery == null ? true : null));
  }

  /** Resolves when every node has been reached or found unreachable; false when none could be reached. */
  async nodesTried(): Promise<boolean> {
    const { connected, tried } = this.#core.memory;
    return this.#until(() => {
      if (connected.size > 0) return true;
      return this.#configs().every((config) => tried.has(config.name)) ? false : null;
    });
  }

  /** Resolves when the node was reached, or found unreachable. */
  async nodeTried(node: NodeName): Promise<void> {
    const known = this.#configs().some(({ name }) => name === node);
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
      (await this.#until(() => (connected.size > 0 ? true : withoutNodes(this.#core.state) ? false : null)));
    if (reached) await new Promise<never>(() => undefined);
  }

  /** Resolves when every cancel that a reachable node has to hear was taken, or after a while. */
  async quiesce(): Promise<void> {
    const { connected, tried, cancelling } = this.#core.memory;
    const heard = (): true | null => {
      if (!this.#configs().every((config) => tried.has(config.name))) return null;
      for (const token of this.#core.state.fenced) {
        const node = this.#core.state.attempts.get(token)?.node;
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
