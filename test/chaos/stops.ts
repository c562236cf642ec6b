/**
 * Everything that takes part is stopped with SIGSTOP for a drawn while, one thing after the other and several at once: the
 * controller, the connections of a node, its tmux server, its supervisor, the launch.sh above an agent, an agent. Then each
 * of them is stopped for good (stops-for-good.ts). At last the controller is stopped, another one takes over from it where
 * its process cannot be seen, and the first one wakes: it must write nothing more.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as passing } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { homePaths } from '../../src/controller/paths.ts';
import { until } from '../cluster/until.ts';
import { type Arena, type ArenaNode, supervisorOf } from './arena.ts';
import { type Ask, command, type Chaos } from './command.ts';
import type { Controller } from './controller.ts';
import { eventsOf } from './events.ts';
import { judge } from './judge.ts';
import { isStopped, runningAgents, signalAll, tmuxServerOf } from './processes.ts';
import type { Report } from './report.ts';
import { stopAgentForGood, stopForGood } from './stops-for-good.ts';

const STOPS = 60;
const TASKS = 120;
const LONGEST_MS = 60_000;
const MOST_AT_ONCE = 4;
/** So many work from the start, so that two of them do at the same time. */
const AT_FIRST = 6;
const TARGETS = ['controller', 'connection', 'tmux server', 'supervisor', 'launcher', 'agent'] as const;
type Target = (typeof TARGETS)[number];
/** To find what is stopped for good takes the product its time: only from this scale on; what ends by its deadline, from that one. */
const FOR_GOOD = 0.1;
const WITH_DEADLINES = 0.5;
/** The deadline of an attempt: longer than all the stops that one may meet. */
const TIMEOUT = '5m';
const PATIENCE_MS = 240_000;
const NAMESPACE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Below this share everything is as short as it can be. */
const FEW = 0.01;

const stopsOf = ({ scale }: Ask): number => Math.max(TARGETS.length, Math.round(STOPS * scale));
/** Four of them wait for the change of controllers. */
const tasksOf = ({ scale }: Ask): number => Math.max(12, Math.round(TASKS * scale));
const longestOf = ({ scale }: Ask): number => Math.max(1500, LONGEST_MS * Math.min(1, scale * 2));

export const stops: Chaos = {
  name: 'stops',
  arena: (ask) => ({
    nodes: ask.scale < FEW ? 2 : 3,
    slots: 4,
    tasks: tasksOf(ask),
    independent: true,
    agentMs: ask.scale < FEW ? [200, 1500] : [1000, 8000],
    // The last ones are there for the change of controllers.
    awaits: (n) => {
      if (n >= tasksOf(ask) - 4) return 'taken-over';
      return n < AT_FIRST ? 'stop-0' : `stop-${Math.floor((n / tasksOf(ask)) * stopsOf(ask))}`;
    },
    project: { timeout: TIMEOUT },
  }),
  run: async (arena, report, ask) => {
    arena.home.mark('stop-0');
    const controller = arena.keep();
    await until('work', () => runningAgents(arena).length >= 2, PATIENCE_MS);
    const doomed = ask.scale < WITH_DEADLINES ? [] : stopAgentForGood(arena, report);
    await stopAndGo(arena, controller, report, ask);
    if (ask.scale >= FOR_GOOD) await stopForGood(arena, controller, report);
    await takeOver(arena, controller, report);
    await judge(arena, report, { mayRepeat: false, doomed });
  },
};

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
    await passing(rng.between(0, ask.scale < FEW ? 300 : 1500));
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
  await stopBetweenCommits(arena, first);
  report.did('SIGSTOP until replaced', 'controller');
  const second = arena.keep({ launcher: NAMESPACE });
  await until('another controller has all nodes', () => second.life.readyAt !== null, PATIENCE_MS).catch(
    (error: unknown) => {
      const lives = second.lives.map(({ code, stderr }) => `ended with ${code}: ${stderr}`);
      throw new Error(`no other controller took over; its lives: ${lives.join('; ')}`, { cause: error });
    },
  );
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

/**
 * One that stands still in the middle of a commit holds the file's lock, and keeps everybody out until it wakes or dies;
 * whoever tries is told so (E_STORE_BUSY). So it is stopped where it holds nothing.
 */
async function stopBetweenCommits({ home }: Arena, controller: Controller): Promise<void> {
  const db = new Database(homePaths(home.dir).database, { timeout: 0 });
  try {
    await until(
      'a moment between two commits',
      async () => {
        controller.signal('SIGSTOP');
        await until('it stands', () => isStopped(controller.pid), PATIENCE_MS);
        if (isFree(db)) return true;
        controller.signal('SIGCONT');
        await passing(20);
        return false;
      },
      PATIENCE_MS,
    );
  } finally {
    db.close();
  }
}

function isFree(db: Database.Database): boolean {
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

await command(stops, import.meta.url);
