/**
 * Nodes go down and come up again: every process is gone at once, the boot is another one, and now and then the worker's
 * sockets and records are gone too. What ran is lost at once and done again, never beside what still lives.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { type Chaos, command } from './command.ts';
import { reboot } from './faults.ts';
import { noMachine } from './machine.ts';
import { awaitingTheLast, MACHINES, onMachines } from './on-machines.ts';

const TIMES = 40;
const TASKS = 200;

export const reboots: Chaos = {
  name: 'reboot',
  unfit: noMachine,
  arena: ({ scale }) => ({
    nodes: 4,
    slots: 4,
    ...awaitingTheLast(Math.max(12, Math.round(TASKS * scale))),
    agentMs: [1000, 40_000],
    machines: MACHINES,
  }),
  run: async (arena, report, { scale }) => {
    const healed = new Set<string>();
    await onMachines(arena, report, async ({ field, hits, isOver }) => {
      field.controller.onTold(({ type, data }) => {
        if (type === 'News' && data.word === 'healed' && String(data.detail).includes('rebooted'))
          healed.add(String(data.about));
      });
      for (let i = 0; i < Math.max(2, Math.round(TIMES * scale)) && !isOver(); i += 1) {
        await passing(field.rng.between(500, 10_000));
        const { node, machine } = onWhich(await hits.bearable());
        await reboot(field, { node, machine });
      }
    });
    report.figure('nodes of which it was told that they had rebooted', healed.size, '');
  },
};

function onWhich(node: Parameters<typeof reboot>[1]['node']): Parameters<typeof reboot>[1] {
  if (node.machine === null) throw new Error(`${node.name} cannot be switched off`);
  return { node, machine: node.machine };
}

await command(reboots, import.meta.url);
