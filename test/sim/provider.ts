/**
 * Model providers as attempts meet them: a key carries so many at once, and what is above that is refused; now and then
 * one is refused for another reason. And what the controller may never do with a key.
 */
import type { ProviderRefusal } from '../../src/model/attempt.ts';
import { sparedUntil } from '../../src/model/credential.ts';
import type { NewEvent } from '../../src/model/event.ts';
import type { State } from '../../src/model/state.ts';
import { projectOfKey } from '../../src/model/found.ts';
import { poolOf } from '../../src/executors/pool.ts';
import { credentialsInUse } from '../../src/schedule/credentials.ts';
import type { Simulation } from './simulation.ts';
import type { VirtualOrder } from './virtual-node.ts';

export class Provider {
  readonly #sim: Simulation;
  /** Attempts that were refused for being too many. */
  refused = 0;

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** What its provider has against an attempt that begins now; null: nothing. */
  refuses({ work }: VirtualOrder): ProviderRefusal | null {
    const { rng, scenario, faults } = this.#sim;
    const credential = work.kind === 'work' ? work.credential : undefined;
    if (credential === undefined) return null;
    if (this.running(credential) > (scenario.carries[credential] ?? Number.POSITIVE_INFINITY)) {
      this.refused += 1;
      return { kind: 'rate', retryAfterMs: rng.chance(0.3) ? rng.between(1_000, 60_000) : null };
    }
    const refused = faults.strikes('provider', scenario.refusals, credential);
    if (refused === null) return null;
    const kind = refused.pick(['rate', 'overload', 'quota', 'account', 'login'] as const);
    faults.specify(kind);
    return { kind, retryAfterMs: null };
  }

  /** What it says to an attempt that is under way, which gets through all the same. */
  complains(): ProviderRefusal {
    const { silence } = this.#sim;
    return {
      kind: silence.pick(['rate', 'overload'] as const),
      retryAfterMs: silence.chance(0.5) ? 2_000 : null,
    };
  }

  /** Attempts with this key that really run, wherever they do. */
  running(credential: string): number {
    let count = 0;
    for (const node of this.#sim.nodes.values()) {
      for (const { order } of node.running())
        if (order.work.kind === 'work' && order.work.credential === credential) count += 1;
    }
    return count;
  }

  /** A key is not used while it backs off, nor by more at once than is allowed. */
  violations(state: State, events: readonly NewEvent[], now: number): string[] {
    const found: string[] = [];
    const used = credentialsInUse(state);
    const limited = new Set(
      events.flatMap(({ fact }) => (fact.type === 'credential.limited' ? fact.credential : [])),
    );
    for (const { fact, at } of events) {
      if (fact.type !== 'attempt.claimed' || fact.credential === undefined) continue;
      const known = state.credentials.get(fact.credential);
      const isSpared = sparedUntil(known, at) !== null && sparedUntil(known, now) !== null;
      if (known !== undefined && isSpared && !limited.has(known.name))
        found.push(`${fact.task}: got ${known.name}, which is left alone until ${known.notBefore}`);
      const executor = fact.executor ?? state.tasks.get(fact.task)?.spec.executor ?? '';
      const def = state.projects.get(projectOfKey(fact.task))?.config.executors[executor];
      const max =
        def === undefined ? undefined : poolOf(def).find(({ name }) => name === fact.credential)?.maxInFlight;
      const inFlight = used.get(fact.credential) ?? 0;
      if (max != null && inFlight > max)
        found.push(`${fact.credential}: ${inFlight} attempts at once, ${max} allowed`);
    }
    return found;
  }
}
