/** Who is who among the processes of an arena. */
import { readFileSync } from 'node:fs';
import { isAlive } from '../cluster/processes.ts';
import type { Arena, ArenaNode } from './arena.ts';

/** One that runs and whose script has begun. */
export interface RunningAgent {
  readonly task: string;
  readonly pid: number;
  /** launch.sh, which runs it and writes down how it ended. */
  readonly launcher: number;
  readonly node: ArenaNode;
}

export function runningAgents({ home, nodes }: Arena): RunningAgent[] {
  return home.executions().flatMap(({ task, token, pid }) => {
    if (!isAlive(pid) || !environmentOf(pid).includes(token)) return [];
    const launcher = launcherOf(pid);
    const node = nodes.find(({ root }) => commandOf(launcher).includes(`${root}/`));
    return node === undefined ? [] : [{ task, pid, launcher, node }];
  });
}

/** Process id of the tmux server of a node; 0 when there is none. Asks it, so it must not be stopped. */
export function tmuxServerOf({ home }: Arena, node: ArenaNode): number {
  return Number(home.tmux(node.name, 'display-message', '-p', '#{pid}'));
}

/** True once a SIGSTOP has reached it. */
export function isStopped(pid: number): boolean {
  return /^State:\s*T/mu.test(read(`/proc/${pid}/status`));
}

/** A signal to all of these. Those that are gone do not mind. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      if (pid > 1) process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The shell above an agent that runs our launch.sh; 0 when it has ended. */
function launcherOf(pid: number): number {
  for (let at = pid; at > 1; at = parentOf(at)) if (/launch(-[0-9a-f]+)?\.sh/u.test(commandOf(at))) return at;
  return 0;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/mu.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function environmentOf(pid: number): string {
  return read(`/proc/${pid}/environ`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
