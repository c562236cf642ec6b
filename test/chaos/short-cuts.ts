/**
 * A hundred short cuts during one run over lines that are bad already: late, uneven, with losses that TCP has to make good.
 * A cut ends what is open and lets new connections in at once, or refuses them for a while, or swallows everything, or
 * loses packets; it hits one node, sometimes all. Nothing is lost or started again, and nothing is left of a cut: memory,
 * handles and processes stay as they were.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { until } from '../cluster/until.ts';
import type { Rng } from '../sim/rng.ts';
import type { Arena, ArenaNode } from './arena.ts';
import { type Ask, command, type Chaos } from './command.ts';
import type { Controller } from './controller.ts';
import { judge } from './judge.ts';
import { FAIR, type Weather } from './line.ts';
import type { Report } from './report.ts';
import { expectFlat, Sampling } from './samples.ts';
import { noWires } from './wire.ts';

const CUTS = 100;
const TASKS = 150;
const NODES = 4;
/** A cut lasts, and is followed by the next one after, at most, milliseconds. */
const SHORTEST_MS = 300;
const LONGEST_MS = 12_000;
const REST_MS = 3000;
/** Chance that a cut hits all nodes at once. */
const ALL = 0.1;
const ALL_RUN_MS = 240_000;

const cutsOf = ({ scale }: Ask): number => Math.max(3, Math.round(CUTS * scale));
const tasksOf = ({ scale }: Ask): number => Math.max(8, Math.round(TASKS * scale));

export const shortCuts: Chaos = {
  name: 'short-cuts',
  arena: (ask) => ({
    nodes: NODES,
    slots: 4,
    tasks: tasksOf(ask),
    agentMs: [200, 5000],
    awaits: (n) => `cut-${Math.floor((n / tasksOf(ask)) * cutsOf(ask))}`,
    red: 0.03,
    way: (node) => (node === NODES && noWires() === null ? 'wire' : 'line'),
  }),
  run: async (arena, report, ask) => {
    const missing = noWires();
    if (missing !== null) report.figure(`NOT DONE, no lost packets: ${missing}`, 0, '');
    arena.home.mark('cut-0');
    for (const { line } of arena.nodes) if (line !== null) line.weather = drawWeather(arena.rng);
    const controller = arena.keep();
    const sampling = new Sampling(arena, controller, report, 2500);
    await until('work', () => arena.home.executions().length > 0, ALL_RUN_MS);
    await cutAndMend(arena, controller, report, ask);
    for (const { line } of arena.nodes) if (line !== null) line.weather = FAIR;
    const calmAt = performance.now();
    await controller.over;
    report.figure('from the last cut to the end', (performance.now() - calmAt) / 1000, 's');
    sampling.stop();
    expectFlat(sampling, report);
    report.expect(controller.lives.length === 1, `the controller lived ${controller.lives.length} times`);
    await judge(arena, report, { mayRepeat: false });
  },
};

/** From a good line to one at the other end of the world with a tenth of its packets lost. */
function drawWeather(rng: Rng): Weather {
  return { delayMs: rng.between(0, 150), jitterMs: rng.between(0, 100), loss: rng.pick([0, 0, 0.01, 0.03]) };
}

async function cutAndMend(arena: Arena, controller: Controller, report: Report, ask: Ask): Promise<void> {
  const { rng, nodes, home } = arena;
  let isOver = false;
  void controller.over.finally(() => (isOver = true)).catch(() => undefined);
  for (let cut = 1; cut <= cutsOf(ask) && !isOver; cut += 1) {
    const hit = rng.chance(ALL) ? nodes : [rng.pick(nodes)];
    // As many short ones as long ones.
    const forMs = Math.round(SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** rng.next());
    const sort = rng.pick(['drop', 'refuse', 'swallow'] as const);
    for (const node of hit) await begin(node, sort);
    report.did(
      sortOf(sort, hit),
      hit.length > 1 ? 'all nodes' : (hit[0]?.name ?? ''),
      sort === 'drop' ? null : forMs,
    );
    await passing(forMs);
    for (const node of hit) await end(node, sort);
    for (const { line } of hit) if (line !== null) line.weather = drawWeather(rng);
    home.mark(`cut-${cut}`);
    await passing(rng.between(0, REST_MS));
  }
  report.expect(!isOver, 'the run was over before the last cut');
}

function sortOf(sort: 'drop' | 'refuse' | 'swallow', [first, second]: readonly ArenaNode[]): string {
  if (first?.line !== null || second !== undefined) return `cut, ${sort}`;
  return sort === 'refuse' ? 'cut, cable pulled' : 'cut, packets lost';
}

async function begin({ line, wire }: ArenaNode, sort: 'drop' | 'refuse' | 'swallow'): Promise<void> {
  if (wire !== null) return sort === 'refuse' ? wire.unplug() : wire.hole();
  if (sort === 'drop') line?.drop();
  else if (sort === 'refuse') await line?.cut();
  else line?.hole();
}

async function end({ line, wire }: ArenaNode, sort: 'drop' | 'refuse' | 'swallow'): Promise<void> {
  if (wire !== null) return sort === 'refuse' ? wire.plug() : wire.fill();
  if (sort === 'refuse') await line?.open();
  else line?.fill();
}

await command(shortCuts, import.meta.url);
