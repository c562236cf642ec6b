/**
 * The disks of nodes and of the controller fill up and are freed, a hundred times each, while agents write. Nothing is
 * lost, no task fails on account of it, what is refused is refused by a name, and all goes on by itself.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { type Chaos, command } from './command.ts';
import { noMachine } from './machine.ts';
import { awaitingTheLast, type Blows, MACHINES, onMachines } from './on-machines.ts';

const TIMES = 100;
const TASKS = 250;

export const diskFull: Chaos = {
  name: 'disk-full',
  unfit: noMachine,
  arena: ({ scale }) => ({
    nodes: 4,
    slots: 4,
    ...awaitingTheLast(Math.max(16, Math.round(TASKS * scale))),
    agentMs: [1000, 20_000],
    machines: MACHINES,
  }),
  run: async (arena, report, { scale }) => {
    const times = Math.max(2, Math.round(TIMES * scale));
    const codes = new Set<string>();
    await onMachines(arena, report, async (blows) => {
      blows.field.controller.onTold(({ type, data }) => {
        if (type !== 'Note' || typeof data.code !== 'string') return;
        codes.add(data.code);
        if (data.code === 'E_INTERNAL') report.violation(`refused without a name: ${String(data.message)}`);
      });
      await Promise.all([nodes(blows, times), controller(blows, times)]);
    });
    report.expect(!codes.has('E_SAFE_MODE'), 'a full disk led to safe mode');
  },
};

async function nodes({ field, hits, isOver }: Blows, times: number): Promise<void> {
  const { report, rng } = field;
  for (let i = 0; i < times && !isOver(); i += 1) {
    await passing(rng.between(500, 3000));
    const { machine, name } = await hits.bearable();
    const forMs = rng.between(300, 4000);
    report.did('node disk full', name, forMs);
    machine?.disk.fill(rng.chance(0.3) ? rng.int(200_000) : 0);
    await passing(forMs);
    machine?.disk.free();
  }
}

async function controller({ field, isOver }: Blows, times: number): Promise<void> {
  const { disk, report, rng } = field;
  for (let i = 0; i < times && !isOver(); i += 1) {
    await passing(rng.between(500, 3000));
    const forMs = rng.between(300, 4000);
    report.did('controller disk full', 'controller', forMs);
    disk.fill(rng.chance(0.3) ? rng.int(200_000) : 0);
    await passing(forMs);
    disk.free();
  }
}

await command(diskFull, import.meta.url);
