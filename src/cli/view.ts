/** What is known of a home without its controller: the state in the store, nodes.json, and who controls it now. */
import type { BudgetRules } from '../model/budget.ts';
import { DispatchError } from '../model/error.ts';
import type { Event, Fact } from '../model/event.ts';
import { projectOfKey } from '../model/found.ts';
import type { NodeName, ProjectName, TaskKey, Token } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { chainLengths } from '../plan/chain.ts';
import type { ControlStanding, Snapshot } from '../schedule/snapshot.ts';
import type { Lease, Reader } from '../store/port.ts';
import type { Context } from './context.ts';
import { budgetRules } from '../controller/budget-rules.ts';
import { homePaths } from '../controller/paths.ts';
import type { About } from '../controller/questions.ts';
import { aboutController } from '../controller/socket.ts';
import { loadHomeConfig } from '../spec/load.ts';
import { nodesOf } from './nodes-file.ts';

const PAGE = 5000;

/** @throws DispatchError E_NO_HOME, E_NO_STORE when nothing was started here yet. */
export async function withView<T>(context: Context, use: (view: HomeView) => Promise<T>): Promise<T> {
  const home = context.home();
  const { openReader } = await import('../store/sqlite/reader.ts');
  const reader = await openReader(homePaths(home).database);
  try {
    const { config } = await loadHomeConfig(home);
    const view = new HomeView(home, reader, await nodesOf(home), budgetRules(config));
    await view.refresh();
    return await use(view);
  } finally {
    await reader.close();
  }
}

/** As withView; null before anything was started here. */
export async function viewOrNull<T>(
  context: Context,
  use: (view: HomeView) => Promise<T>,
): Promise<T | null> {
  try {
    return await withView(context, use);
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === 'E_NO_STORE') return null;
    throw thrown;
  }
}

export class HomeView {
  readonly home: string;
  readonly reader: Reader;
  readonly nodes: readonly NodeConfig[];
  readonly budget: BudgetRules;
  #state: State | null = null;
  #holder: Lease | null = null;
  /** Highest event looked at, and the nodes that the controller had a stream to then. */
  #seq = 0;
  readonly #connected = new Set<NodeName>();
  /** Nodes that refused an order of the newest controller, until when they get none, and what they said. */
  readonly #shunned = new Map<NodeName, number>();
  readonly #refusals = new Map<NodeName, string>();
  readonly #conflicted = new Set<Token>();

  constructor(home: string, reader: Reader, nodes: readonly NodeConfig[], budget: BudgetRules) {
    this.home = home;
    this.reader = reader;
    this.nodes = nodes;
    this.budget = budget;
  }

  get state(): State {
    if (this.#state === null) throw new TypeError('the view has not been refreshed yet');
    return this.#state;
  }

  /** The controller that is alive now. */
  get holder(): Lease | null {
    return this.#holder;
  }

  /** Reads again. @returns whether anything has happened since the last time. */
  async refresh(): Promise<boolean> {
    const before = this.#holder?.epoch ?? null;
    this.#holder = await this.reader.holder();
    const seen = this.#seq;
    await this.#follow();
    if (this.#state !== null && this.#seq === seen) return before !== (this.#holder?.epoch ?? null);
    this.#state = await this.reader.load();
    return true;
  }

  /**
   * What the running controller decides from, as far as the store tells; null when none runs.
   * @param about what it says of what is in no store, if it was asked.
   */
  snapshot(about?: Pick<About, 'silent' | 'safe'>): Snapshot | null {
    if (this.#holder === null) return null;
    const known = {
      ...this.#snapshotWith(this.#connected),
      shunned: this.#shunned,
      refusals: this.#refusals,
    };
    if (about === undefined) return known;
    return { ...known, silent: new Map(about.silent), safe: new Map(about.safe) };
  }

  /** What only the running controller knows; null when none runs, or it does not answer in time. */
  async about(): Promise<About | null> {
    return this.#holder === null ? null : aboutController(homePaths(this.home).socket);
  }

  /** As if a controller ran and reached every node: what would keep a task then. */
  assumed(): Snapshot {
    return this.#snapshotWith(new Set(this.nodes.map(({ name }) => name)));
  }

  /** Tasks whose branch did not merge at least once. */
  get conflicted(): ReadonlySet<TaskKey> {
    const { attempts } = this.state;
    return new Set([...this.#conflicted].flatMap((token) => attempts.get(token)?.task ?? []));
  }

  /** The whole log, in order. */
  async allEvents(): Promise<Event[]> {
    const events: Event[] = [];
    for (;;) {
      const page = await this.reader.events(events.at(-1)?.seq ?? 0, PAGE);
      events.push(...page);
      if (page.length < PAGE) return events;
    }
  }

  /** Highest event so far; they are numbered without a gap. */
  get eventCount(): number {
    return this.#seq;
  }

  #snapshotWith(connected: ReadonlySet<NodeName>): Snapshot {
    return {
      state: this.state,
      budget: this.budget,
      nodes: this.nodes,
      connected,
      dispatching: new Set(this.state.projects.keys()),
      chainMs: chainLengths(this.state),
      shunned: new Map(),
      records: new Map(),
      waiting: new Map(),
      controls: onTrial(this.state),
    };
  }

  /** Which nodes are connected is no part of the state: it follows from the events of the newest controller. */
  async #follow(): Promise<void> {
    for (;;) {
      const page = await this.reader.events(this.#seq, PAGE);
      for (const { seq, fact } of page) {
        this.#seq = seq;
        this.#note(fact);
      }
      if (page.length < PAGE) return;
    }
  }

  #note(fact: Fact): void {
    switch (fact.type) {
      case 'controller.acquired':
        this.#connected.clear();
        this.#shunned.clear();
        return;
      case 'node.connected':
        this.#connected.add(fact.node);
        return;
      case 'node.disconnected':
        this.#connected.delete(fact.node);
        return;
      case 'merge.conflicted':
        this.#conflicted.add(fact.token);
        return;
      case 'node.refused':
        this.#shunned.set(fact.node, fact.until);
        this.#refusals.set(fact.node, fact.reason);
        return;
      default:
    }
  }
}

/** Projects whose gates run on trial now; what a controller has yet to begin is not in the store. */
function onTrial({ live, attempts }: State): ReadonlyMap<ProjectName, ControlStanding> {
  const found = new Map<ProjectName, ControlStanding>();
  for (const token of [...live.values()].flatMap((tokens) => [...tokens])) {
    const attempt = attempts.get(token);
    if (attempt?.work.kind === 'gate' && attempt.work.subject.of === 'control')
      found.set(projectOfKey(attempt.task), { wanted: [], failed: [] });
  }
  return found;
}
