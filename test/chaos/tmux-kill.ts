/** The tmux server of a node is killed, again and again, while agents work in it: what ran there is lost and done again. */
import { setTimeout as passing } from 'node:timers/promises';
import { type Chaos, command } from './command.ts';
import { noMachine } from './machine.ts';
import { awaitingTheLast, MACHINES, onMachines } from './on-machines.ts';

const TIMES = 100;
const TASKS = 250;

export const tmuxKill: Chaos = {
  name: 'tmux-kill',
  unfit: noMachine,
  arena: ({ scale }) => ({
    nodes: 4,
    slots: 4,
    ...awaitingTheLast(Math.max(12, Math.round(TASKS * scale))),
    agentMs: [1000, 30_000],
    machines: MACHINES,
  }),
  run: async (arena, report, { scale }) => {
    await onMachines(arena, report, async ({ field, hits, isOver }) => {
      for (let left = Math.max(2, Math.round(TIMES * scale)); left > 0 && !isOver(); ) {
        await passing(field.rng.between(200, 6000));
        const { name, machine } = await hits.bearable();
        const server = machine?.tmuxServer;
        if (server === undefined) continue;
        report.did('tmux SIGKILL', name);
        process.kill(server, 'SIGKILL');
        left -= 1;
      }
    });
  },
};

await command(tmuxKill, import.meta.url);
