/**
 * What each controller has really heard of each node, and whether it waited long enough before it gave one up: by the
 * time through which it was awake, and not while its own line was dead.
 */
import type { NewEvent } from '../../src/model/event.ts';
import type { NodeName, Token } from '../../src/model/ids.ts';
import type { State } from '../../src/model/state.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualController } from './virtual-controller.ts';

/** Within so long a dead line is noticed: the keepalive of a stream, twice. */
const NOTICED_MS = 30_000;

export class Hearing {
  readonly #sim: Simulation;
  /** When each controller heard of a node last, by the time through which it had been awake. */
  readonly #last = new WeakMap<VirtualController, Map<NodeName, number>>();
  /** Attempts that were given up, or whose node was lost before their branch was fetched. */
  readonly #givenUp = new Set<Token>();
  #offline = { from: 0, until: 0 };

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  heard(controller: VirtualController, node: NodeName): void {
    const last = this.#last.get(controller) ?? new Map<NodeName, number>();
    this.#last.set(controller, last.set(node, controller.awakeMs));
  }

  /** No machine over the network can be reached for a while. */
  goOffline(span: number): void {
    const { now } = this.#sim.timeline;
    this.#offline = { from: now, until: now + span };
    for (const { name, reach } of this.#sim.scenario.nodes)
      if (reach.by !== 'local') this.#sim.node(name).leave(span);
  }

  /** A store was put back: what was given up since, nobody knows of. */
  forget(): void {
    this.#givenUp.clear();
  }

  /** Held against each turn. */
  violations(controller: VirtualController, events: readonly NewEvent[]): string[] {
    return events.flatMap(({ fact }) => {
      if (fact.type !== 'node.lost' || fact.by !== null) return [];
      const { node } = fact;
      const config = this.#sim.scenario.nodes.find(({ name }) => name === node);
      const lease = config?.leaseMs ?? Number.POSITIVE_INFINITY;
      const waited = controller.awakeMs - (this.#last.get(controller)?.get(node) ?? 0);
      const early = waited < lease ? [`${node}: lost after ${waited} ms of its lease of ${lease}`] : [];
      return this.#isOffline() ? [...early, `${node}: lost while nobody could be reached`] : early;
    });
  }

  /** With several machines over the network; one alone has nobody to bear witness. What is mended answers, whatever was drawn. */
  #isOffline(): boolean {
    if (this.#sim.calm) return false;
    const { now } = this.#sim.timeline;
    const distant = this.#sim.scenario.nodes.filter(({ reach }) => reach.by !== 'local');
    return distant.length > 1 && now > this.#offline.from + NOTICED_MS && now < this.#offline.until;
  }

  /** Held against each transaction: nothing is given up without a reason, and what was given up never lands. */
  durableViolations(state: State, events: readonly NewEvent[]): string[] {
    const lost = new Set(events.flatMap(({ fact }) => (fact.type === 'node.lost' ? fact.node : [])));
    const cancelled = new Set(
      events.flatMap(({ fact }) =>
        fact.type === 'task.cancelled' || fact.type === 'task.recalled' ? fact.task : [],
      ),
    );
    for (const [key, { progress }] of this.#sim.durable) {
      if (progress.at !== 'finished') continue;
      // It may have come in with the same transaction, just before.
      const now = state.tasks.get(key)?.progress;
      if (now !== undefined && 'token' in now && now.token === progress.token) continue;
      const node = state.attempts.get(progress.token)?.node;
      if (node !== undefined && lost.has(node)) this.#givenUp.add(progress.token);
    }
    return events.flatMap(({ fact }) => {
      if (fact.type === 'merge.landed' && this.#givenUp.has(fact.token))
        return [`${fact.token}: was given up, and landed`];
      const attempt = 'token' in fact ? state.attempts.get(fact.token) : undefined;
      if (attempt?.work.kind !== 'work') return [];
      if (fact.type === 'attempt.kept') return this.#keptViolations(state, fact.token, fact.head);
      if (fact.type !== 'attempt.fenced') return [];
      this.#givenUp.add(fact.token);
      const { node, task, startedAt } = attempt;
      if (startedAt === null || lost.has(node) || cancelled.has(task)) return [];
      return [`${fact.token}: given up while ${node} had it, and nobody asked for that`];
    });
  }

  #keptViolations(state: State, token: Token, head: string): string[] {
    const task = state.attempts.get(token)?.task;
    const project = task === undefined ? undefined : state.tasks.get(task)?.spec.project;
    const kept = project === undefined ? undefined : this.#sim.truth.hub(project).candidates.get(token);
    return kept === head ? [] : [`${token}: said to be kept, and is not`];
  }
}
