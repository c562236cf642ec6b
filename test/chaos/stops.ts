/**
 * Everything that takes part is stopped with SIGSTOP for a drawn while, one thing after the other and several at once: the
 * controller, the connections of a node, its tmux server, its supervisor, the launch.sh above an agent, an agent. Some
 * agents and launchers are stopped for good, and end by their deadline. At last the controller is stopped, another one
 * takes over from it where its process cannot be seen, and the first one wakes: it must write nothing more.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as passing } from 'node:timers/promises';
import { until } from '../cluster/until.ts';
import { type Arena, type ArenaNode, supervisorOf } from './arena.ts';
import { type Ask, command, type Chaos } from './command.ts';
import type { Controller } from './controller.ts';
import { eventsOf } from './events.ts';
import { judge } from './judge.ts';
import { runningAgents, signalAll, tmuxServerOf } from './processes.ts';
import type { Report } from './report.ts';

const STOPS = 60;
const TASKS = 120;
const LONGEST_MS = 60_000;
const MOST_AT_ONCE = 4;
const TARGETS = ['controller', 'connection', 'tmux server', 'supervisor', 'launcher', 'agent'] as const;
type Target = (typeof TARGETS)[number];
/** The deadline of an attempt: longer than all the stops that one may meet. */
const TIMEOUT = '5m';
const PATIENCE_MS = 240_000;
const NAMESPACE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

const stopsOf = ({ scale }: Ask): number => Math.max(TARGETS.length, Math.round(STOPS * scale));
const tasksOf = ({ scale }: Ask): number => Math.max(20, Math.round(TASKS * scale));
const longestOf = ({ scale }: Ask): number => Math.max(2000, LONGEST_MS * Math.min(1, scale * 2));

export const stops: Chaos = {
  name: 'stops',
  arena: (ask) => ({
    nodes: 3,
    slots: 4,
    tasks: tasksOf(ask),
    independent: true,
    agentMs: [1000, 8000],
    // The last ones are there for the change of controllers.
    awaits: (n) =>
      n >= tasksOf(ask) - 4 ? 'taken-over' : `stop-${Math.floor((n / tasksOf(ask)) * stopsOf(ask))}`,
    project: { timeout: TIMEOUT },
  }),
  run: async (arena, report, ask) => {
    arena.home.mark('stop-0');
    const controller = arena.keep();
    await until('work', () => runningAgents(arena).length > 0, PATIENCE_MS);
    const doomed = ask.scale < 1 ? [] : stopForGood(arena, report);
    await stopAndGo(arena, controller, report, ask);
    await takeOver(arena, controller, report);
    await judge(arena, report, { mayRepeat: false, doomed });
  },
};

/** An agent, and the launcher of another one. They end by their deadline, as failures that say so. */
function stopForGood(arena: Arena, report: Report): string[] {
  const [agent, other] = runningAgents(arena);
  if (agent === undefined || other === undefined) throw new Error('two agents were to run');
  signalAll([agent.pid], 'SIGSTOP');
  report.did('SIGSTOP for good', `agent of ${agent.task}`);
  signalAll([other.launcher], 'SIGSTOP');
  report.did('SIGSTOP for good', `launcher of ${other.task}`);
  return [agent.task, other.task];
}

async function stopAndGo(arena: Arena, controller: Controller, report: Report, ask: Ask): Promise<void> {
  const { rng, nodes, home } = arena;
  const longest = longestOf(ask);
  const under = new Map<string, Promise<void>>();
  for (let stop = 1; stop <= stopsOf(ask); stop += 1) {
    // Each sort at least once.
    const target = TARGETS[stop - 1] ?? rng.pick(TARGETS);
    const node = rng.pick(nodes);
    // As many short ones as long ones.
    const forMs = Math.round(1000 * (longest / 1000) ** rng.next());
    const name = target === 'controller' ? target : `${target} on ${node.name}`;
    await under.get(name);
    while (under.size >= MOST_AT_ONCE) await Promise.race(under.values());
    const pids = await whom(arena, controller, target, node);
    home.mark(`stop-${stop}`);
    if (pids.length === 0) continue;
    signalAll(pids, 'SIGSTOP');
    report.did(`SIGSTOP ${target}`, name, forMs);
    const goes = passing(forMs).then(() => {
      signalAll(pids, 'SIGCONT');
      under.delete(name);
    });
    under.set(name, goes);
    await passing(rng.between(0, 1500));
  }
  await Promise.all(under.values());
}

/** Processes to stop. A tmux server that is stopped already cannot say who it is, nor can one that never was. */
async function whom(
  arena: Arena,
  controller: Controller,
  target: Target,
  node: ArenaNode,
): Promise<number[]> {
  const running = runningAgents(arena).filter((agent) => agent.node === node);
  switch (target) {
    case 'controller':
      await until('a controller', () => controller.pid !== 0, PATIENCE_MS);
      return [controller.pid];
    case 'connection':
      return node.server.sessions();
    case 'tmux server':
      return [tmuxServerOf(arena, node)].filter((pid) => pid > 1);
    case 'supervisor':
      return [supervisorOf(node)].filter((pid) => pid > 1);
    case 'launcher':
      return running.slice(0, 1).map(({ launcher }) => launcher);
    case 'agent':
      return running.slice(0, 1).map(({ pid }) => pid);
  }
}

async function takeOver(arena: Arena, first: Controller, report: Report): Promise<void> {
  if (spawnSync(NAMESPACE[0] ?? '', [...NAMESPACE.slice(1), 'true']).status !== 0) {
    report.figure('NOT DONE, no second controller: this machine makes no process namespaces', 0, '');
    arena.home.mark('taken-over');
    await first.over;
    return;
  }
  await until('the last ones run', () => runningAgents(arena).length > 0, PATIENCE_MS);
  first.leaveAlone();
  first.signal('SIGSTOP');
  report.did('SIGSTOP until replaced', 'controller');
  const second = arena.keep({ launcher: NAMESPACE });
  await until('another controller has all nodes', () => second.life.readyAt !== null, PATIENCE_MS);
  const before = (await eventsOf(arena)).at(-1);
  first.signal('SIGCONT');
  report.did('SIGCONT after it was replaced', 'controller');
  await until('the first one has ended', () => first.life.endedAt !== null, PATIENCE_MS);
  report.expect(
    first.life.stderr.includes('E_FENCED'),
    `the controller that was replaced ended with ${first.life.code}: ${first.life.stderr}`,
  );
  arena.home.mark('taken-over');
  await second.over;
  const late = (await eventsOf(arena)).filter(
    ({ seq, epoch }) => before !== undefined && seq > before.seq && epoch < before.epoch,
  );
  report.figure('events of the replaced controller after its waking', late.length, '', 0);
}

await command(stops, import.meta.url);
