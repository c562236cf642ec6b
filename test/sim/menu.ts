/** Faults that came to the menu later, each drawn from a source of its own and, like the others, often not there at all. */
import type { NodeName } from '../../src/model/ids.ts';
import type { Faults } from './faults.ts';
import type { Rng } from './rng.ts';
import type { Drawn, Scenario } from './scenario.ts';

/** What a node's clock shows besides the time. */
export interface NodeClock {
  /** Ahead of the controller's at the beginning, milliseconds. */
  readonly ahead: number;
  /** Gained in each millisecond. */
  readonly drift: number;
}

export interface Menu {
  /** Chances per call, per attempt, per push, per commit. */
  readonly duplicated: number;
  readonly late: number;
  readonly overtaken: number;
  readonly odd: number;
  readonly refusedPush: number;
  readonly brokenCommit: number;
  /** Gained by the controller's wall clock in each millisecond. */
  readonly drift: number;
  readonly clocks: ReadonlyMap<NodeName, NodeClock>;
  /** Nodes that take so many times as long for everything; those that are missing do not. */
  readonly slow: ReadonlyMap<NodeName, number>;
}

/** What a node or a controller is like from the beginning to the healing, if this run may have it. */
interface Has {
  readonly faults: Faults;
  readonly scenario: Scenario;
}

/** How many times as long everything takes on a node that is only slow. */
export function slownessOf({ faults, scenario }: Has, node: NodeName): number {
  const slow = scenario.menu.slow.get(node) ?? 1;
  return slow > 1 && faults.admits(`slow#${node}`, `${slow} times`) ? slow : 1;
}

export function clockOf({ faults, scenario }: Has, node: NodeName): NodeClock {
  const { ahead = 0, drift = 0 } = scenario.menu.clocks.get(node) ?? {};
  return {
    ahead: ahead !== 0 && faults.admits(`clock-ahead#${node}`, `${ahead} ms`) ? ahead : 0,
    drift: drift !== 0 && faults.admits(`clock-drift#${node}`, `${drift}`) ? drift : 0,
  };
}

/** What the controller's wall clock gains in each millisecond. */
export function driftOf({ faults, scenario }: Has): number {
  const { drift } = scenario.menu;
  return drift !== 0 && faults.admits('clock-drift#controller', `${drift}`) ? drift : 0;
}

const DAY_MS = 24 * 60 * 60_000;

/** The scenario with what the menu adds to it. */
export function withMenu(scenario: Drawn, rng: Rng): Scenario {
  const { faultsMs, nodes } = scenario;
  const some = (most: number): number => (rng.chance(0.5) ? 0 : rng.next() * most);
  const mean = (share: number): number => (rng.chance(0.5) ? 0 : (faultsMs / share) * (1 + rng.int(4)));
  const menu = {
    duplicated: some(0.2),
    odd: some(0.4),
    refusedPush: some(0.3),
    drift: rng.pick([0, 0, 1e-4, -1e-4]),
    clocks: new Map(nodes.map(({ name }) => [name, drawClock(rng)])),
    slow: new Map(
      nodes.flatMap(({ name }) => (rng.chance(0.1) ? [[name, rng.between(5, 50)] as const] : [])),
    ),
  };
  const accidents = {
    ...scenario.accidents,
    clog: mean(20),
    rewind: mean(12),
    breakdown: mean(8),
    'node-clock': mean(10),
    alarm: mean(20),
    restore: rng.chance(0.8) ? 0 : faultsMs / 2,
  };
  const more = { late: some(0.1), overtaken: some(0.2), brokenCommit: some(0.01) };
  return { ...scenario, accidents, menu: { ...menu, ...more } };
}

function drawClock(rng: Rng): NodeClock {
  const ahead = rng.pick([0, 0, rng.between(-5_000, 5_000), rng.between(-2 * DAY_MS, 2 * DAY_MS)]);
  return { ahead, drift: rng.pick([0, 0, 1e-3, -1e-3]) };
}
