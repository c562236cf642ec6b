/**
 * Every link is cut for ten minutes while 32 tasks run over four nodes, each link in a way of its own: one whose
 * connections end and are refused, one that takes connections and gives nothing back, one whose packets vanish, one whose
 * cable is pulled. Agents go on and end meanwhile. When the links are back, everything is collected within half a minute,
 * and nothing was lost or started again.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { until } from '../cluster/until.ts';
import type { Arena, ArenaNode } from './arena.ts';
import { type Ask, command, type Chaos } from './command.ts';
import { collectedAt, eventsOf } from './events.ts';
import { judge } from './judge.ts';
import type { Report } from './report.ts';
import { expectFlat, Sampling } from './samples.ts';
import { noWires } from './wire.ts';

const TASKS = 32;
const MINUTES = 10;
/** Promised from the return of the links to the last result in the controller's hands, milliseconds. */
const COLLECTED_MS = 30_000;
/** Agents end before this share of the cut is over. */
const ENDED = 0.9;
const ALL_RUN_MS = 240_000;

interface Cut {
  readonly what: string;
  readonly begin: (node: ArenaNode) => Promise<void> | void;
  readonly end: (node: ArenaNode) => Promise<void> | void;
}

const ON_LINES: readonly Cut[] = [
  { what: 'cut, refused', begin: ({ line }) => line?.cut(), end: ({ line }) => line?.open() },
  { what: 'cut, swallowed', begin: ({ line }) => line?.hole(), end: ({ line }) => line?.fill() },
];
const ON_WIRES: readonly Cut[] = [
  { what: 'cut, packets lost', begin: ({ wire }) => wire?.hole(), end: ({ wire }) => wire?.fill() },
  { what: 'cut, cable pulled', begin: ({ wire }) => wire?.unplug(), end: ({ wire }) => wire?.plug() },
];
/** Each node has its own; without network namespaces those of the first two again. */
const cuts = (): readonly Cut[] => [...ON_LINES, ...(noWires() === null ? ON_WIRES : ON_LINES)];

const cutMsOf = ({ minutes, scale }: Ask): number => (minutes ?? MINUTES * scale) * 60_000;

export const linkCut: Chaos = {
  name: 'link-cut',
  arena: (ask) => ({
    nodes: 4,
    slots: 8,
    tasks: TASKS,
    independent: true,
    // All of them run when the cut begins, and end while it lasts.
    awaits: () => 'cut',
    agentMs: [0, Math.round(cutMsOf(ask) * ENDED)],
    red: 0.05,
    way: (node) => (node > ON_LINES.length && noWires() === null ? 'wire' : 'line'),
  }),
  run: async (arena, report, ask) => {
    const { home, nodes } = arena;
    const missing = noWires();
    if (missing !== null) report.figure(`NOT DONE, no lost packets and no pulled cable: ${missing}`, 0, '');
    const controller = arena.keep();
    const sampling = new Sampling(arena, controller, report, Math.max(1000, cutMsOf(ask) / 60));
    await until('that all run', () => home.executions().length === TASKS, ALL_RUN_MS);
    const sorts = cuts();
    await each(nodes, async (node, i) => {
      await sorts[i]?.begin(node);
      report.did(sorts[i]?.what ?? '', node.name, cutMsOf(ask));
    });
    home.mark('cut');
    await passing(cutMsOf(ask));
    await each(nodes, (node, i) => sorts[i]?.end(node));
    const backAt = Date.now();
    report.did('back', 'all');
    await controller.over;
    sampling.stop();
    expectFlat(sampling, report);
    await figures(arena, report, backAt);
    report.expect(controller.lives.length === 1, `the controller lived ${controller.lives.length} times`);
    await judge(arena, report, { mayRepeat: false });
  },
};

async function figures(arena: Arena, report: Report, backAt: number): Promise<void> {
  const events = await eventsOf(arena);
  for (const [i, { name }] of arena.nodes.entries()) {
    const connected = events.find(
      ({ at, fact }) => fact.type === 'node.connected' && fact.node === name && at >= backAt,
    );
    const tookMs = connected === undefined ? Number.NaN : connected.at - backAt;
    report.figure(`${name} (${cuts()[i]?.what}) connected after`, tookMs / 1000, 's');
  }
  const after = [...collectedAt(events).values()]
    .filter((at) => at >= backAt)
    .map((at) => (at - backAt) / 1000);
  report.spread('a result in hand after the return', after, 's', COLLECTED_MS / 1000);
  const lastAt = events.at(-1)?.at ?? backAt;
  report.figure('everything merged after', (lastAt - backAt) / 1000, 's');
}

async function each(
  nodes: readonly ArenaNode[],
  act: (node: ArenaNode, index: number) => Promise<void> | void,
): Promise<void> {
  for (const [index, node] of nodes.entries()) await act(node, index);
}

await command(linkCut, import.meta.url);
