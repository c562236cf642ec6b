/**
 * CPU of everything a contestant causes on this machine, and of nothing else that runs there: the processes below this
 * one, and those that name the fleet's directory (the workers' tmux servers leave their parents). Whoever ends is counted
 * by the parent that waited for it. Linux only; elsewhere it is unknown.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of CPU by role. */
export type Usage = Readonly<Record<Role, number>>;
export type Role = 'client' | 'sshd' | 'supervisor' | 'tmux' | 'tasks';

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
  /** Clock ticks of its own, and of its children that have ended. */
  readonly own: number;
  readonly children: number;
}

const TICK_MS = 10;

/** @param dir the fleet's directory. Null where /proc does not tell. */
export function usageNow(dir: string): Usage | null {
  const stats = readAll();
  if (stats.length === 0) return null;
  const usage: Record<Role, number> = { client: 0, sshd: 0, supervisor: 0, tmux: 0, tasks: 0 };
  const ours = new Set([process.pid]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, parent, command } of stats)
      if (ours.has(parent) || command.includes(dir)) ours.add(pid);
  }
  for (const stat of stats) {
    if (!ours.has(stat.pid)) continue;
    const role = roleOf(stat);
    usage[role] += stat.own * TICK_MS;
    // What a tmux server has waited for are the tasks.
    usage[role === 'tmux' ? 'tasks' : role] += stat.children * TICK_MS;
  }
  return usage;
}

export function difference(after: Usage | null, before: Usage | null): Usage | null {
  if (after === null || before === null) return null;
  const entries = Object.entries(after).map(([role, ms]) => [role, ms - before[role as Role]]);
  return Object.fromEntries(entries) as unknown as Usage;
}

export function total(usage: Usage | null): number | null {
  return usage === null ? null : Object.values(usage).reduce((sum, ms) => sum + ms, 0);
}

function roleOf({ name, command }: Stat): Role {
  if (name.startsWith('sshd')) return 'sshd';
  // Before the others: the server's command line is that of the command which started it.
  if (name.startsWith('tmux')) return 'tmux';
  // The bridge between an sshd and the supervisor's socket.
  if (command.includes(' rpc ')) return 'sshd';
  if (command.includes(' supervise ')) return 'supervisor';
  if (command.includes('launch-')) return 'tasks';
  return 'client';
}

function readAll(): Stat[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readOne(Number(name)) ?? []);
}

function readOne(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const own = (fields[11] ?? 0) + (fields[12] ?? 0);
    const children = (fields[13] ?? 0) + (fields[14] ?? 0);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
    return { pid, parent, name, command, own, children };
  } catch {
    // It ended while we looked.
    return null;
  }
}
