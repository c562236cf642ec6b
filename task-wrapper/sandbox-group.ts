/**
 * Control groups: the kernel's own bound on the memory and the number of all processes of a command together. Made
 * directly in the file system, which root may do (and an ordinary user where the machine's group was given to them):
 * two directories and three small writes, nothing is started. Elsewhere there is none, and sandbox-limits.ts does what
 * a shell can.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { CageLimit } from '../src/model/cage.ts';
import { readIfThere } from './durable.ts';

const TOP = '/sys/fs/cgroup';
/** Bytes of memory when the project names none. */
const MEMORY = 8 * 1024 ** 3;
/** Part of the machine's memory that one command can take at most: reaching it must not be the machine's end. */
const MOST = 0.75;
/** Over which the kernel counts processor time, microseconds. */
const PERIOD_US = 100_000;

/** Groups of this process that could not be removed yet: their last processes were still being torn down. */
const leftover = new Set<string>();

/** What a group holds its processes to. */
export interface GroupLimits {
  /** Bytes; null: 8 GiB. Never more than three quarters of the machine's. */
  readonly memory: number | null;
  readonly processes: number;
  /** Processors' worth of time; missing or null: no bound. */
  readonly cpus?: number | null;
}

/** Makes the command's group; returns the files that its first process writes itself into, or null when none can be made. */
export function makeGroup(name: string, limits: GroupLimits): string[] | null {
  for (const dir of leftover) if (removed(dir)) leftover.delete(dir);
  const { processes, cpus = null } = limits;
  const memory = memoryOf(limits);
  try {
    if (existsSync(`${TOP}/cgroup.controllers`)) return [unified(name, memory, processes, cpus)];
    return [
      separate('pids', name, { 'pids.max': processes }),
      separate('memory', name, { 'memory.limit_in_bytes': memory }),
      ...(cpus === null ? [] : [separate('cpu', name, { 'cpu.cfs_quota_us': Math.ceil(cpus * PERIOD_US) })]),
    ];
  } catch {
    removeGroup(name);
    return null;
  }
}

/** Bytes that all processes of a group may have together. */
export function memoryOf({ memory }: Pick<GroupLimits, 'memory'>): number {
  return Math.floor(Math.min(memory ?? MEMORY, totalmem() * MOST));
}

/** Which of its bounds the group has met so far; null: none, or there is no such group. */
export function groupMet(name: string): CageLimit | null {
  const counters = (file: string): string =>
    dirsOf(name)
      .map((dir) => readIfThere(`${dir}/${file}`) ?? '')
      .join('\n');
  return limitMet({
    memory: `${counters('memory.events')}\n${counters('memory.oom_control')}`,
    processes: counters('pids.events'),
  });
}

/** The same from the kernel's counters as text: processes that were ended for want of memory, and forks that were refused. */
export function limitMet(counters: {
  readonly memory: string;
  readonly processes: string;
}): CageLimit | null {
  if (/^oom_kill [1-9]/m.test(counters.memory)) return 'memory';
  return /^max [1-9]/m.test(counters.processes) ? 'processes' : null;
}

/** Ends what is left in the group of a command that has ended, whoever it says it belongs to, and removes the group. */
export function removeGroup(name: string): void {
  for (const dir of dirsOf(name)) {
    for (const pid of membersOf(dir)) end(pid);
    if (!removed(dir)) leftover.add(dir);
  }
}

function dirsOf(name: string): string[] {
  return [
    `${TOP}/dispatch/${name}`,
    ...['pids', 'memory', 'cpu'].map((controller) => `${TOP}/${controller}/dispatch/${name}`),
  ];
}

function membersOf(dir: string): number[] {
  try {
    return readFileSync(`${dir}/cgroup.procs`, 'utf8')
      .trim()
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 1);
  } catch {
    return [];
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}

/** One tree for all controllers (version 2). A group with processes has no children that are bounded, so ours hangs from the top. */
function unified(name: string, memory: number, processes: number, cpus: number | null): string {
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
  if (cpus !== null) {
    for (const above of [TOP, ours]) writeFileSync(`${above}/cgroup.subtree_control`, '+cpu');
    writeFileSync(`${dir}/cpu.max`, `${Math.ceil(cpus * PERIOD_US)} ${PERIOD_US}`);
  }
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
