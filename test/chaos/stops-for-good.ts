/**
 * Somebody is stopped and never told to go on. What can be replaced is replaced, or told to go on by the product, within a
 * bound and with all agents at work; an agent ends by the deadline of its attempt, as a failure that says so. (The
 * controller is in stops.ts: another one takes over from it.)
 *
 * tmux tells what it has started to go on by itself. So a launcher does not stand still, and a supervisor only together with
 * its tmux server.
 */
import { setTimeout as passing } from 'node:timers/promises';
import { isAlive } from '../cluster/processes.ts';
import { until } from '../cluster/until.ts';
import { type Arena, type ArenaNode, supervisorOf } from './arena.ts';
import type { Controller } from './controller.ts';
import { isStopped, runningAgents, signalAll, tmuxServerOf } from './processes.ts';
import type { Report } from './report.ts';

/** From the stop to the node's being whole again, at most, seconds. A ping is missed after 15, a stop is believed after 10. */
const WHOLE_S = 120;
const PATIENCE_MS = 600_000;

/** An agent, and the launcher of another one. @returns tasks that fail by it. */
export function stopAgentForGood(arena: Arena, report: Report): string[] {
  const [agent, other] = runningAgents(arena);
  if (agent === undefined || other === undefined) throw new Error('two agents were to run');
  signalAll([agent.pid], 'SIGSTOP');
  report.did('SIGSTOP for good', `agent of ${agent.task}`);
  signalAll([other.launcher], 'SIGSTOP');
  report.did('SIGSTOP for good', `launcher of ${other.task}`);
  return [agent.task];
}

/** Tmux server, supervisor with it, connection: one after the other, each on a node of its own. */
export async function stopForGood(arena: Arena, controller: Controller, report: Report): Promise<void> {
  const [first, second, third] = arena.nodes;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three nodes were to be there');
  await timed(report, 'tmux server', first, async () => {
    const server = tmuxServerOf(arena, first);
    signalAll([server], 'SIGSTOP');
    await until('that it stands', () => isStopped(server), PATIENCE_MS);
    return () => isAlive(server) && !isStopped(server);
  });
  await timed(report, 'supervisor', second, async () => {
    const [server, supervisor] = [tmuxServerOf(arena, second), supervisorOf(second)];
    const isBack = connects(controller, second);
    signalAll([server, supervisor], 'SIGSTOP');
    await until('that both stand', () => isStopped(server) && isStopped(supervisor), PATIENCE_MS);
    return () => isBack() && isAlive(server) && !isStopped(server) && supervisorOf(second) !== supervisor;
  });
  await timed(report, 'connection', third, async () => {
    const isBack = connects(controller, third);
    third.server.killConnections('SIGSTOP');
    return isBack;
  });
}

/** @param stop stops it, and gives what holds when all is well again. */
async function timed(
  report: Report,
  what: string,
  node: ArenaNode,
  stop: () => Promise<() => boolean>,
): Promise<void> {
  report.did('SIGSTOP for good', `${what} on ${node.name}`);
  const isWhole = await stop();
  const began = performance.now();
  while (!isWhole() && performance.now() - began < PATIENCE_MS) await passing(20);
  const seconds = (performance.now() - began) / 1000;
  report.figure(`${what} stopped for good: whole again after`, seconds, 's', WHOLE_S);
}

/** Whether the controller has connected to the node since this was called. */
function connects(controller: Controller, node: ArenaNode): () => boolean {
  let back = false;
  const deaf = controller.onTold(({ type, data }) => {
    if (type !== 'News' || data.word !== 'connected' || data.about !== `node ${node.name}`) return;
    back = true;
    deaf();
  });
  return () => back;
}
