/**
 * Agents that take all there is, on machines with little: memory until the kernel kills somebody, processes until none can
 * be made, processors, open files. Each does so in its first attempt and then does its work. It is the agent that is
 * killed, never the worker or its tmux, and every task comes to its end.
 */
import { type Chaos, command } from './command.ts';
import { noMachine } from './machine.ts';
import { MACHINES, onMachines } from './on-machines.ts';

const TASKS = 120;
/** Of these many tasks one is greedy. */
const EVERY = 4;
const MIB = 2 ** 20;

const GREED: Readonly<Record<string, string>> = {
  memory: 'tail /dev/zero',
  processes: 'while :; do sleep 300 & done',
  processors: 'for i in 1 2 3 4 5 6 7 8; do timeout 8 sh -c "while :; do :; done" & done; wait; exit 7',
  files: `node -e 'const fs = require("fs"); for (;;) fs.openSync("/dev/null")'`,
};

export const pressure: Chaos = {
  name: 'pressure',
  unfit: noMachine,
  arena: ({ scale }) => ({
    nodes: 3,
    slots: 4,
    tasks: Math.max(12, Math.round(TASKS * scale)),
    agentMs: [500, 5000],
    project: { max_attempts: 5 },
    machines: { ...MACHINES, limits: { memory: 700 * MIB, processes: 500 } },
  }),
  run: async (arena, report) => {
    const greedy = arena.tasks.filter((_, i) => i % EVERY === 1);
    const kinds = Object.keys(GREED);
    const files = greedy.map(({ id }, i) => {
      const kind = kinds[i % kinds.length] ?? '';
      report.did(`takes all ${kind}`, id);
      const first = `test "$DISPATCH_ATTEMPT" != 1 || { ${GREED[kind]}\nexit 7; }`;
      return [`agents/${id}.sh`, `${first}\n${arena.home.file(`agents/${id}.sh`)}`] as const;
    });
    arena.home.commit(Object.fromEntries(files), 'agents that take all');
    const before = new Map<string, readonly (number | undefined)[]>();
    const core = (): Map<string, readonly (number | undefined)[]> =>
      new Map(arena.nodes.map(({ name, machine }) => [name, [machine?.supervisor, machine?.tmuxServer]]));
    await onMachines(arena, report, async () => {
      for (const [name, pids] of core()) before.set(name, pids);
    });
    const after = core();
    for (const [name, pids] of before)
      for (const [i, what] of ['supervisor', 'tmux server'].entries())
        report.expect(
          pids[i] === undefined || after.get(name)?.[i] === undefined || pids[i] === after.get(name)?.[i],
          `${name}: its ${what} was ${pids[i]}, and is ${after.get(name)?.[i]}`,
        );
    const again = new Set(
      arena.home
        .executions()
        .filter(({ attempt }) => attempt > 1)
        .map(({ task }) => task),
    );
    for (const { id } of greedy)
      report.expect(again.has(id), `${id}: took all, and its first attempt was good enough`);
    report.figure(
      'others whose attempts were spoilt by it',
      [...again].filter((id) => !greedy.some((one) => one.id === id)).length,
      '',
    );
  },
};

await command(pressure, import.meta.url);
