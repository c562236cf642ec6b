/**
 * The controller is killed with SIGKILL, again and again during one run, at drawn moments: while it starts, while it
 * connects, while it works. The same command follows each time. Nothing is lost, and no agent is started twice.
 */
import { setTimeout as passing } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import { type Ask, command, type Chaos } from './command.ts';
import type { Controller, Life } from './controller.ts';
import { judge } from './judge.ts';

const KILLS = 500;
const TASKS = 500;
/** Work ends in step with the kills up to this share of them, so that there is something to lose at the last one. */
const IN_STEP = 0.97;
/** A life that has all nodes is killed after at most so long, milliseconds; one that never gets them, after the second. */
const LONGEST_MS = 1500;
const PATIENCE_MS = 20_000;

/** Below this share fewer nodes do. */
const FEW = 0.01;

const killsOf = ({ scale }: Ask): number => Math.max(4, Math.round(KILLS * scale));
const tasksOf = ({ scale }: Ask): number => Math.max(8, Math.round(TASKS * scale));

export const controllerKills: Chaos = {
  name: 'controller-kills',
  arena: (ask) => ({
    nodes: ask.scale < FEW ? 2 : 4,
    slots: 8,
    tasks: tasksOf(ask),
    agentMs: [200, 4000],
    awaits: (n) => `kill-${Math.floor((n / tasksOf(ask)) * killsOf(ask) * IN_STEP)}`,
    red: 0.02,
  }),
  run: async (arena, report, ask) => {
    arena.home.mark('kill-0');
    const controller = arena.keep();
    let isOver = false;
    void controller.over.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    let early = 0;
    let killed: Life | null = null;
    for (let kill = 1; kill <= killsOf(ask) && !isOver; kill += 1) {
      await drawnMoment(arena, controller, killed);
      killed = controller.life;
      if (controller.life.readyAt === null) early += 1;
      if (controller.signal('SIGKILL')) report.did('SIGKILL', 'controller');
      arena.home.mark(`kill-${kill}`);
    }
    report.expect(!isOver, 'the run was over before the last kill');
    const lastAt = performance.now();
    await controller.over;
    report.figure('from the last kill to the end', (performance.now() - lastAt) / 1000, 's');
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

/** Half of the lives end while they start or connect; the others at work. */
async function drawnMoment({ rng }: Arena, controller: Controller, killed: Life | null): Promise<void> {
  // The one that was killed last may not be buried yet.
  while (controller.life === killed) await passing(5);
  const { life } = controller;
  const early = rng.chance(0.5);
  const waitMs = rng.between(0, LONGEST_MS);
  const until = performance.now() + PATIENCE_MS;
  if (!early)
    while (controller.life === life && life.readyAt === null && performance.now() < until) await passing(10);
  await passing(waitMs);
}

await command(controllerKills, import.meta.url);
