/**
 * `dispatch restore` in a simulated home: no controller runs, the store is again what it was at some commit before, and is
 * told what has landed since. Nodes, their journals and the hub have gone on. What was held against the newer state is
 * forgotten, and nothing else: what really merged, merges no second time.
 */
import { command } from '../../src/controller/commands.ts';
import { freshMemory } from '../../src/controller/memory.ts';
import { adoptLandings } from '../../src/controller/reconcile.ts';
import { Turn } from '../../src/controller/turn.ts';
import type { LandedBranch, Landing } from '../../src/git/landings.ts';
import { evolve } from '../../src/model/evolve.ts';
import type { NewEvent } from '../../src/model/event.ts';
import type { CommitId, Token } from '../../src/model/ids.ts';
import { emptyState, type State } from '../../src/model/state.ts';
import type { Store } from '../../src/store/port.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { VirtualHub } from './repository.ts';
import type { Simulation } from './simulation.ts';

/** Events that a simulated home has at most. */
const ALL = 1_000_000;

interface Order {
  /** The last event that the backup has. */
  readonly upTo: number;
  readonly adopts: boolean;
  /** Whether landings that were begun before are void. */
  readonly fences: boolean;
}

/** @returns how many events the store was told of. */
export async function putBack(sim: Simulation, { upTo, adopts, fences }: Order): Promise<number> {
  sim.controller?.die('a backup is put back');
  const all = await sim.store.events(0, ALL);
  const before = all.flatMap(({ fact }) => (fact.type === 'attempt.claimed' ? fact.token : []));
  const events = all.slice(0, upTo);
  const last = (await sim.store.holder())?.epoch ?? 0;
  const state = emptyState();
  for (const event of events) evolve(state, event);
  const store = await openSqliteStore(':memory:');
  let lease = await store.acquire('sim', 1, sim.wall());
  while (lease.epoch <= last) lease = await store.acquire('sim', 1, sim.wall());
  await store.commit(lease, events, state);
  const turn = new Turn(state, freshMemory(state), lease.epoch, sim.wall());
  turn.record({ type: 'controller.acquired', host: 'sim', pid: 1 });
  for (const asked of sim.person.opening()) if (asked.verb === 'load') command(turn, asked);
  for (const project of state.projects.values()) {
    const hub = sim.truth.hubs.get(project.name);
    if (hub === undefined) continue;
    if (fences) hub.fence += 1;
    const landings = landingsSince(hub, project.integration ?? hub.start);
    if (adopts && landings.length > 0) adoptLandings(turn, project.name, landings);
  }
  await store.commit(lease, turn.events, state);
  await exchange(sim, { store, state, before, events: [...events, ...turn.events] });
  return turn.events.length;
}

async function exchange(
  sim: Simulation,
  {
    store,
    state,
    before,
    events,
  }: { store: Store; state: State; before: readonly Token[]; events: readonly NewEvent[] },
): Promise<void> {
  await sim.store.close();
  sim.store = store;
  for (const token of before) if (!state.attempts.has(token)) sim.forgotten.add(token);
  sim.durable.clear();
  for (const { key, n, progress } of state.tasks.values()) sim.durable.set(key, { n, progress });
  sim.applied.clear();
  sim.money.recount(events);
  sim.hearing.forget();
  sim.bell.forget();
}

/** As `landingsSince` of the git room says it. */
export function landingsSince(
  { objects, integration, reverted }: VirtualHub,
  from: CommitId | null,
): Landing[] {
  if (integration === null || from === null || !objects.isAncestor(from, integration)) return [];
  const undone = new Set(reverted.map(({ token, commit }) => `${token} ${commit}`));
  const landings: Landing[] = [];
  for (let at = objects.get(integration); at.id !== from; ) {
    const [onto, top] = at.parents;
    if (onto === undefined) break;
    if (top !== undefined) {
      const stack = at.brings.length < 2 ? [at] : chain(objects, top, onto);
      const brings = at.brings.map(({ task, token }): LandedBranch => {
        const undoes = undone.has(`${token} ${at.id}`);
        const within = stack.find((one) => one.brings.length === 1 && one.brings[0]?.token === token) ?? at;
        const head = within.parents[1] ?? top;
        const base = objects.get(head).parents[0] ?? onto;
        const changed = objects.changed(base, head).length;
        return { task, token, undoes, head, base, changed, merge: within.id, tree: within.tree };
      });
      landings.unshift({ commit: at.id, onto, brings });
    }
    at = objects.get(onto);
  }
  return landings;
}

/** First parents from `top` down to `end`. */
function chain(objects: VirtualHub['objects'], top: CommitId, end: CommitId) {
  const found = [];
  for (let at = objects.get(top); at.id !== end; at = objects.get(at.parents[0] as CommitId)) {
    found.push(at);
    if (at.parents[0] === undefined) break;
  }
  return found;
}
