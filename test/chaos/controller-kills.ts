/**
 * The controller is killed with SIGKILL, again and again during one run, at drawn moments: while it starts, while it
 * connects, while it works. The same command follows each time. Nothing is lost, and no agent is started twice.
 */
import { command, type Chaos } from './command.ts';
import { judge } from './judge.ts';

const KILLS = 500;
const TASKS = 500;
/** The most that a life may last before it is killed, milliseconds. */
const LONGEST_MS = 3000;

export const controllerKills: Chaos = {
  name: 'controller-kills',
  arena: ({ scale }) => ({
    nodes: 4,
    slots: 8,
    tasks: Math.max(8, Math.round(TASKS * scale)),
    // Work for the whole of it: there must be something to lose when the last kill comes.
    agentMs: [1000, 60_000],
    red: 0.02,
  }),
  run: async (arena, report, { scale }) => {
    const kills = Math.max(4, Math.round(KILLS * scale));
    const controller = arena.keep({ restartMs: () => 0 });
    let isOver = false;
    void controller.over.finally(() => {
      isOver = true;
    });
    let early = 0;
    for (let i = 0; i < kills && !isOver; i += 1) {
      // A third while it starts and connects; the others after it has had all nodes, when it lives for so long.
      const waitMs = arena.rng.chance(1 / 3) ? arena.rng.between(0, 600) : arena.rng.between(300, LONGEST_MS);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (controller.life.readyAt === null) early += 1;
      if (controller.signal('SIGKILL')) report.did('SIGKILL', 'controller');
      else i -= isOver ? 0 : 1;
    }
    report.expect(!isOver, 'the run was over before the last kill: it needs more work');
    await controller.over;
    report.figure('kills before it had all nodes', early, '');
    const ready = controller.lives.flatMap(({ bornAt, readyAt }) =>
      readyAt === null ? [] : readyAt - bornAt,
    );
    report.spread('from start to all nodes connected', ready, 'ms');
    for (const { code, stderr } of controller.ownEnds)
      report.violation(`a controller ended by itself with ${code}: ${stderr}`);
    await judge(arena, report, { mayRepeat: false });
  },
};

await command(controllerKills, import.meta.url);
