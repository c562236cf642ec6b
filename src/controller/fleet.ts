/** The nodes of a session: one link each, as nodes.json says now, and what is wrong with those that cannot be reached. */
import type { DispatchError } from '../model/error.ts';
import type { Source } from '../model/event.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { InventoryEntry } from '../protocol/messages.ts';
import { NodeLink } from '../node/link.ts';
import type { NodeProgram } from '../node/program.ts';
import { systemClock } from './clock.ts';
import type { Input } from './door.ts';
import { type Mend, mend } from './mend.ts';
import { failed } from './node-effects.ts';
import type { Note } from './note.ts';
import { NodePrograms } from './node-programs.ts';
import type { NodeLook, NodeReport } from './questions.ts';

/** Between two looks at how a node is doing, and at one that something ails; one packet each, milliseconds. */
const HEALTH_MS = 60_000;
const AILING_MS = 10_000;
/** Until a node whose hello was of no use is connected anew, milliseconds. */
const RENEW_MS = 60_000;

export interface FleetOptions {
  readonly state: State;
  readonly epoch: number;
  /** Names this controller to the nodes, for their records. */
  readonly controller: string;
  readonly program: NodeProgram;
  readonly push: (input: Input) => void;
  readonly note: (note: Note) => void;
  /** A stream to the node stands: what was known of its mirrors may have gone with its disk. */
  readonly onUp: (node: NodeName) => void;
  /** Whether some verify command wants a sandbox. */
  readonly needsSandbox: () => boolean;
}

export class Fleet {
  readonly links = new Map<NodeName, NodeLink>();
  /** The last problem of each node, for people. */
  readonly troubles = new Map<NodeName, DispatchError>();
  readonly #options: FleetOptions;
  readonly #said = new Map<NodeName, NodeReport>();
  /** Nodes that were said to have attempts that nobody here knows. */
  readonly #strange = new Set<NodeName>();
  readonly #programs: NodePrograms;
  #configs: readonly NodeConfig[] = [];
  readonly #asking: NodeJS.Timeout;
  #stopped = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#programs = new NodePrograms({
      ...options,
      push: (input) => {
        if (!this.#stopped) options.push(input);
      },
      note: (note) => {
        if (!this.#stopped) options.note(note);
      },
    });
    let round = 0;
    this.#asking = setInterval(() => {
      round += 1;
      const all = round % (HEALTH_MS / AILING_MS) === 0;
      for (const [name, link] of this.links)
        if (link.state.is === 'up' && (all || this.#ails(name))) void this.#ask(link, name);
      if (!all) return;
      this.#lookAgain(({ name }) => this.#programs.lacks(name));
      this.lookAround();
    }, AILING_MS).unref();
  }

  /** The nodes as they said last. */
  looks(): Omit<NodeLook, 'silence'>[] {
    return this.#configs.map(({ name }) => {
      const problem = this.troubles.get(name);
      const { code = null, message = null } = problem ?? {};
      return {
        name,
        connected: this.links.get(name)?.state.is === 'up',
        trouble: code === null || message === null ? null : { code, message },
        said: this.#said.get(name) ?? null,
      };
    });
  }

  /** What the scheduler may use. */
  get configs(): readonly NodeConfig[] {
    return this.#configs;
  }

  /**
   * Follows nodes.json: new nodes are connected, nodes that are gone are let go. A node that was removed or moved while
   * attempts live there keeps its link and gets nothing new, because nobody else would fetch their results.
   * @returns names of these; ask again when their attempts have ended.
   */
  follow(wanted: readonly NodeConfig[]): NodeName[] {
    const before = new Map(this.#configs.map((config) => [config.name, config]));
    const kept: NodeConfig[] = [];
    const next = wanted.filter((config) => {
      const old = before.get(config.name);
      if (old === undefined || !isMoved(old, config) || !this.#holds(old)) return true;
      kept.push({ ...old, slots: 0 });
      return false;
    });
    const named = new Set(wanted.map(({ name }) => name));
    for (const old of before.values()) {
      if (named.has(old.name)) continue;
      if (this.#holds(old)) kept.push({ ...old, slots: 0 });
      else this.#letGo(old.name, 'it was taken out of nodes.json');
    }
    this.#configs = [...next, ...kept];
    for (const config of next) {
      const old = before.get(config.name);
      if (old !== undefined && isMoved(old, config)) this.#letGo(config.name, 'nodes.json has changed');
      if (!this.links.has(config.name)) this.#connect(config);
    }
    return kept.map(({ name }) => name);
  }

  /** The machine slept: every connection is asked whether it still is one, and nobody waits out a back-off. */
  wake(): void {
    for (const link of this.links.values()) link.wake();
  }

  /** Tasks have come: nodes that never said whether they can cage an agent are asked when one of them wants it. */
  lookAround(): void {
    this.#lookAgain((config) => this.#programs.owesCage(config));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#asking);
    await Promise.all([...this.links.values()].map((link) => link.stop()));
  }

  /** Asks a node how it is without waiting for the next round. */
  look(name: NodeName): void {
    const link = this.links.get(name);
    if (link !== undefined) void this.#ask(link, name);
  }

  /** Its hello could not be applied: some time later another connection is made. */
  renew(name: NodeName): void {
    const link = this.links.get(name);
    setTimeout(() => {
      const config = this.#configs.find((one) => one.name === name);
      if (this.#stopped || config === undefined || this.links.get(name) !== link) return;
      this.#letGo(name, 'its hello could not be applied');
      this.#connect(config);
    }, RENEW_MS).unref();
  }

  /** Does something about what ails a node, then looks at it again. Never throws. */
  async mend(effect: Mend): Promise<Input> {
    const { key, node } = effect;
    const link = this.links.get(node);
    if (link === undefined) return failed(key, 'E_NODE_UNREACHABLE', `no node ${node}`);
    const input = await mend(effect, link, this.#options.epoch);
    this.look(node);
    return input;
  }

  /** Only to the journal that the numbers count in: a node that was wiped meanwhile has another one. */
  acknowledge({ node, journal, seq }: Source): void {
    const link = this.links.get(node);
    if (link?.state.is !== 'up' || link.state.welcome.journal !== journal) return;
    link.call({ op: 'ack', seq }).catch(() => undefined);
  }

  #ails(name: NodeName): boolean {
    return (this.#options.state.nodes.get(name)?.health.ailments.length ?? 0) > 0;
  }

  #holds({ name }: NodeConfig): boolean {
    return (this.#options.state.live.get(name)?.size ?? 0) > 0;
  }

  #letGo(name: NodeName, reason: string): void {
    const link = this.links.get(name);
    this.links.delete(name);
    this.troubles.delete(name);
    this.#said.delete(name);
    void link?.stop();
    this.#options.push({ is: 'node.down', node: name, reason });
  }

  #connect(config: NodeConfig): void {
    const { name } = config;
    const { state, epoch, controller, program, push, onUp } = this.#options;
    const link: NodeLink = new NodeLink({
      config,
      epoch,
      controller,
      program,
      cursor: () => {
        const node = state.nodes.get(name);
        return { journal: node?.journal ?? null, seq: node?.cursor ?? 0 };
      },
      onUp: (welcome, inventory) => {
        if (this.links.get(name) !== link) return;
        onUp(name);
        this.troubles.delete(name);
        this.#strangers(name, inventory);
        push({ is: 'node.up', node: name, welcome, inventory, program: program.hash });
        void this.#ask(link, name);
        void this.#programs.ask(link, config);
      },
      onAlive: () => {
        if (this.links.get(name) === link) push({ is: 'node.alive', node: name });
      },
      onDown: (problem) => this.#trouble(link, name, problem),
      onTrouble: (problem) => this.#trouble(link, name, problem),
      onNews: (journal, entries) => {
        if (this.links.get(name) === link) push({ is: 'node.news', node: name, journal, entries });
      },
    });
    this.links.set(name, link);
    link.start();
  }

  /** Two requests in one packet: a node may take its time to say how it is, and the ping beside it is the round trip. */
  async #ask(link: NodeLink, name: NodeName): Promise<void> {
    const wall = systemClock.wall();
    const began = systemClock.mono();
    const span = (): number => systemClock.mono() - began;
    // What keeps it from answering is told by the link; a node of another version may not know the question.
    const [roundTripMs, told] = await Promise.all([
      link.call({ op: 'ping' }).then(span, () => null),
      link.call({ op: 'health' }).then(
        (health) => ({ health, offset: health.clock - (wall + span() / 2) }),
        () => null,
      ),
    ]);
    if (roundTripMs === null || told === null || this.links.get(name) !== link) return;
    const { health, offset } = told;
    this.#said.set(name, { at: systemClock.wall(), roundTripMs, clockOffsetMs: Math.round(offset), health });
    const { diskFree: free, diskTotal: total, files, reserve } = health;
    if (reserve === undefined) return;
    this.#options.push({ is: 'node.looked', node: name, disk: { free, total, files, reserve } });
  }

  /** What a person has mended there is noticed without a new connection. */
  #lookAgain(at: (config: NodeConfig) => boolean): void {
    for (const config of this.#configs) {
      const link = this.links.get(config.name);
      if (link?.state.is === 'up' && at(config)) void this.#programs.ask(link, config);
    }
  }

  /** A store that was put back from a backup does not know what it ordered since. Such attempts go on and merge never. */
  #strangers(name: NodeName, inventory: readonly InventoryEntry[]): void {
    const unknown = inventory.filter(({ token }) => !this.#options.state.attempts.has(token)).length;
    if (unknown === 0 || this.#strange.has(name)) return;
    this.#strange.add(name);
    const what =
      unknown === 1
        ? 'an attempt that this store does not know; it is left alone and never merges'
        : `${unknown} attempts that this store does not know; they are left alone and never merge`;
    const message = `holds ${what}`;
    this.#options.note({ about: 'node', name, code: null, message, fix: 'dispatch rescue' });
  }

  /** A node that cannot be reached: said once per reason, however often it is tried. */
  #trouble(link: NodeLink, name: NodeName, problem: DispatchError): void {
    if (this.#stopped || this.links.get(name) !== link) return;
    const { code, message, why, fix = null } = problem;
    if (this.troubles.get(name)?.message !== message) {
      const told = why === undefined ? message : `${message}: ${why}`;
      this.#options.note({ about: 'node', name, code, message: told, fix });
    }
    this.troubles.set(name, problem);
    this.#options.push({ is: 'node.down', node: name, reason: message, code });
  }
}

/** Another address, or another place on the machine: what is true of its slots and labels needs no new link. */
function isMoved(before: NodeConfig, after: NodeConfig): boolean {
  return before.root !== after.root || JSON.stringify(before.reach) !== JSON.stringify(after.reach);
}
