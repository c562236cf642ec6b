/** What a run holds, looked at now and then: memory, handles, processes, sessions, directories. Flat is what it has to be. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processesOf } from '../cluster/home.ts';
import { median } from '../../bench/figures.ts';
import { type Arena, attemptsKept, supervisorOf } from './arena.ts';
import type { Controller } from './controller.ts';
import type { Report } from './report.ts';

export interface Sample {
  readonly atMs: number;
  /** Of the controller; null between two lives. MiB, and live heap after a collection where it has noted one. */
  readonly controller: { readonly pid: number; readonly rss: number; readonly files: number } | null;
  readonly heap: number | null;
  /** Of each node's supervisor, summed. */
  readonly supervisors: { readonly rss: number; readonly files: number };
  /** Everything that was started below the arena, sshd's processes for connections, tmux sessions, directories of attempts. */
  readonly processes: number;
  readonly connections: number;
  readonly sessions: number;
  readonly attempts: number;
}

const MIB = 2 ** 20;

/**
 * Nothing here waits for another program in this process: bad lines are in it as well, and would stand still meanwhile. On
 * a busy machine a look may take longer than what is between two of them; then the next one is left out.
 */
export class Sampling {
  readonly samples: Sample[] = [];
  readonly #arena: Arena;
  readonly #controller: Controller;
  readonly #report: Report;
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  /** Looks every so many milliseconds until it is stopped. */
  constructor(arena: Arena, controller: Controller, report: Report, everyMs: number) {
    this.#arena = arena;
    this.#controller = controller;
    this.#report = report;
    this.#timer = setInterval(() => void this.look(), everyMs);
  }

  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { nodes, home } = this.#arena;
    const { pid, heapFile } = this.#controller;
    const supervisors = nodes.map((node) => processOf(supervisorOf(node)));
    const sample = {
      atMs: Math.round(this.#report.nowMs),
      controller: pid === 0 ? null : processOf(pid),
      heap: heapOf(heapFile, pid),
      supervisors: {
        rss: sum(supervisors.map((one) => one?.rss ?? 0)),
        files: sum(supervisors.map((one) => one?.files ?? 0)),
      },
      processes: processesOf(home.base).length,
      attempts: sum(nodes.map(attemptsKept)),
    };
    const [connections, sessions] = await Promise.all([
      connectionsOf(nodes.map(({ server }) => server.pid)),
      Promise.all(nodes.map(({ root }) => sessionsAt(root))),
    ]);
    this.samples.push({ ...sample, connections, sessions: sessions.flat().length });
    this.#looking = false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Names of the tmux sessions of a worker. */
async function sessionsAt(root: string): Promise<string[]> {
  const socket = join(root, 'run', 'tmux.sock');
  if (!existsSync(socket)) return [];
  return linesOf('tmux', ['-S', socket, 'list-sessions', '-F', '#{session_name}']);
}

/** Processes of sshd below these. */
async function connectionsOf(servers: readonly number[]): Promise<number> {
  const ours = new Set(servers);
  const rows = await linesOf('ps', ['-A', '-o', 'pid=,ppid=,comm=', '--sort', 'start_time']);
  for (const row of rows) {
    const [pid, ppid, name = ''] = row.trim().split(/\s+/u);
    if (name.startsWith('sshd') && ours.has(Number(ppid))) ours.add(Number(pid));
  }
  return ours.size - servers.length;
}

/** What a program says; nothing when it cannot, or hangs. */
function linesOf(file: string, args: readonly string[]): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 5000, killSignal: 'SIGKILL' }, (error, stdout) =>
      resolve(error === null ? stdout.split('\n').filter((line) => line !== '') : []),
    );
  });
}

/** Growth in units of `of` an hour: least squares over the samples that have a value. */
export function slope(samples: readonly Sample[], of: (sample: Sample) => number | null): number {
  const points = samples.flatMap((sample) => {
    const value = of(sample);
    return value === null ? [] : [{ x: sample.atMs / 3_600_000, y: value }];
  });
  const mean = (values: readonly number[]): number => sum(values) / values.length;
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const spread = sum(points.map((point) => (point.x - x) ** 2));
  return spread === 0 ? 0 : sum(points.map((point) => (point.x - x) * (point.y - y))) / spread;
}

/** How much it may have grown from the second quarter of a run to the last one. */
const MOST_GROWTH: readonly {
  readonly what: string;
  readonly unit: string;
  readonly most: number;
  readonly of: (sample: Sample) => number | null;
}[] = [
  { what: 'live heap of the controller', unit: 'MiB', most: 16, of: ({ heap }) => heap },
  {
    what: 'open files of the controller',
    unit: '',
    most: 12,
    of: ({ controller }) => controller?.files ?? null,
  },
  { what: 'open files of the supervisors', unit: '', most: 24, of: ({ supervisors }) => supervisors.files },
];

/** Nothing grows. The first quarter is left out: there everything is loaded, shipped and started. */
export function expectFlat({ samples }: Sampling, report: Report): void {
  const quarter = Math.floor(samples.length / 4);
  const second = samples.slice(quarter, 2 * quarter);
  const last = samples.slice(3 * quarter);
  for (const { what, unit, most, of } of MOST_GROWTH) {
    const values = (part: readonly Sample[]): number[] => part.flatMap((sample) => of(sample) ?? []);
    if (values(second).length === 0 || values(last).length === 0) continue;
    const [before, after] = [median(values(second)), median(values(last))];
    report.figure(`${what}: second quarter`, before, unit);
    report.figure(`${what}: last quarter`, after, unit);
    report.figure(`${what}: growth`, after - before, unit, most);
  }
  const most = (of: (sample: Sample) => number): number => Math.max(0, ...samples.map(of));
  report.figure(
    'resident memory of the controller, most',
    most(({ controller }) => controller?.rss ?? 0),
    'MiB',
  );
  report.figure(
    'processes, most',
    most(({ processes }) => processes),
    '',
  );
  report.figure(
    'tmux sessions, most',
    most(({ sessions }) => sessions),
    '',
  );
  report.figure(
    'processes of sshd for connections, most',
    most(({ connections }) => connections),
    '',
  );
}

function processOf(pid: number): { pid: number; rss: number; files: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0);
    return { pid, rss: (kib * 1024) / MIB, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return null;
  }
}

/** Null when the process that lives now has noted none yet. */
function heapOf(file: string, pid: number): number | null {
  if (!existsSync(file)) return null;
  const [of, bytes] = readFileSync(file, 'utf8').trim().split(' ').map(Number);
  return of === pid && bytes !== undefined ? bytes / MIB : null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
