/** One of each of what befalls machines, in an order that is drawn anew each time; all of it at length: `make chaos`. */
import { randomInt } from 'node:crypto';
import { setTimeout as passing } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testSeed } from '../seed.ts';
import { type Chaos, runChaos } from './command.ts';
import { reboot } from './faults.ts';
import { noMachine } from './machine.ts';
import { awaitingTheLast, type Blows, MACHINES, onMachines } from './on-machines.ts';
import { reportText } from './report.ts';

const HOUR = 3_600_000;
const LIMIT_MS = 600_000;
const unfit = noMachine();
const seed = testSeed(randomInt(1, 1_000_000));

const BLOWS: Readonly<Record<string, (blows: Blows, node: number) => Promise<void>>> = {
  reboot: async ({ field }, node) => {
    const at = field.arena.nodes[node];
    if (at?.machine != null) await reboot(field, { node: at, machine: at.machine }, [100, 1000]);
  },
  tmux: async ({ field }, node) => {
    const server = field.arena.nodes[node]?.machine?.tmuxServer;
    if (server !== undefined) process.kill(server, 'SIGKILL');
  },
  'disk of a node': async ({ field }, node) => {
    const disk = field.arena.nodes[node]?.machine?.disk;
    disk?.fill();
    await passing(field.rng.between(100, 800));
    disk?.free();
  },
  'disk of the controller': async ({ field }) => {
    field.disk.fill();
    await passing(field.rng.between(100, 800));
    field.disk.free();
  },
  clocks: async ({ field }, node) => {
    field.clock.step(field.rng.pick([24 * HOUR, -24 * HOUR]));
    field.arena.nodes[node]?.machine?.clock.step(field.rng.pick([HOUR, -HOUR]));
  },
};

const selection: Chaos = {
  name: 'machines',
  arena: () => ({ nodes: 2, slots: 3, ...awaitingTheLast(5), agentMs: [200, 800], machines: MACHINES }),
  run: async (arena, report) => {
    await onMachines(arena, report, async (blows) => {
      const { rng } = blows.field;
      const order = Object.entries(BLOWS).map(([name, strike]) => ({ name, strike, at: rng.next() }));
      for (const { name, strike } of order.toSorted((a, b) => a.at - b.at)) {
        report.did(name, 'somebody');
        await strike(blows, rng.int(arena.nodes.length));
        await passing(rng.between(0, 500));
      }
    });
  },
};

test.skipIf(unfit !== null)(
  `nodes that go down, lose their tmux or their room, and clocks that are set, lose nothing (seed ${seed}${unfit === null ? '' : `; skipped: ${unfit}`})`,
  { timeout: LIMIT_MS },
  async () => {
    const report = await runChaos(selection, { seed, scale: 1, minutes: null, keep: false });
    const command = `DISPATCH_TEST_SEED=${seed} npx vitest run test/chaos/machines.test.ts`;
    expect(report.violations, reportText(report.data(command))).toEqual([]);
  },
);
