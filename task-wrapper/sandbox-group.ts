/**
 * Control groups: the kernel's own bound on the memory and the number of all processes of a command together. Made
 * directly in the file system, which root may do (and an ordinary user where the machine's group was given to them):
 * two directories and three small writes, nothing is started. Elsewhere there is none, and sandbox-limits.ts does what
 * a shell can.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { SandboxLimits } from '../src/model/sandbox.ts';

const TOP = '/sys/fs/cgroup';
/** Bytes of memory when the project names none. */
const MEMORY = 8 * 1024 ** 3;
/** Part of the machine's memory that one command can take at most: reaching it must not be the machine's end. */
const MOST = 0.75;

/** Groups of this process that could not be removed yet: their last processes were still being torn down. */
const leftover = new Set<string>();

/** Makes the command's group; returns the files that its first process writes itself into, or null when none can be made. */
export function makeGroup(name: string, limits: SandboxLimits): string[] | null {
  for (const dir of leftover) if (removed(dir)) leftover.delete(dir);
  const memory = Math.floor(Math.min(limits.memory ?? MEMORY, totalmem() * MOST));
  try {
    if (existsSync(`${TOP}/cgroup.controllers`)) return [unified(name, memory, limits.processes)];
    return [
      separate('pids', name, { 'pids.max': limits.processes }),
      separate('memory', name, { 'memory.limit_in_bytes': memory }),
    ];
  } catch {
    removeGroup(name);
    return null;
  }
}

/** Removes the group of a command that has ended. */
export function removeGroup(name: string): void {
  for (const dir of [
    `${TOP}/dispatch/${name}`,
    `${TOP}/pids/dispatch/${name}`,
    `${TOP}/memory/dispatch/${name}`,
  ])
    if (!removed(dir)) leftover.add(dir);
}

/** One tree for all controllers (version 2). A group with processes has no children that are bounded, so ours hangs from the top. */
function unified(name: string, memory: number, processes: number): string {
  const ours = `${TOP}/dispatch`;
  if (!existsSync(`${ours}/pids.max`) || !existsSync(`${ours}/memory.max`)) {
    writeFileSync(`${TOP}/cgroup.subtree_control`, '+memory +pids');
    mkdirSync(ours, { recursive: true });
  }
  writeFileSync(`${ours}/cgroup.subtree_control`, '+memory +pids');
  const dir = `${ours}/${name}`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${dir}/pids.max`, String(processes));
  writeFileSync(`${dir}/memory.max`, String(memory));
  return `${dir}/cgroup.procs`;
}

/** A tree for each controller (version 1). */
function separate(controller: string, name: string, limits: Readonly<Record<string, number>>): string {
  if (!existsSync(`${TOP}/${controller}/cgroup.procs`)) throw new Error(`no controller ${controller}`);
  const dir = `${TOP}/${controller}/dispatch/${name}`;
  mkdirSync(dir, { recursive: true });
  for (const [file, value] of Object.entries(limits)) writeFileSync(`${dir}/${file}`, String(value));
  return `${dir}/cgroup.procs`;
}

function removed(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EBUSY';
  }
}
