/** What a run holds, looked at now and then: memory, handles, processes, sessions, directories. Flat is what it has to be. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processesOf } from '../cluster/home.ts';
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

export class Sampling {
  readonly samples: Sample[] = [];
  readonly #arena: Arena;
  readonly #controller: Controller;
  readonly #report: Report;
  readonly #timer: NodeJS.Timeout;

  /** Looks every so many milliseconds until it is stopped. */
  constructor(arena: Arena, controller: Controller, report: Report, everyMs: number) {
    this.#arena = arena;
    this.#controller = controller;
    this.#report = report;
    this.#timer = setInterval(() => this.look(), everyMs);
  }

  look(): void {
    const { nodes, home } = this.#arena;
    const { pid, heapFile } = this.#controller;
    const supervisors = nodes.map((node) => processOf(supervisorOf(node)));
    this.samples.push({
      atMs: Math.round(this.#report.nowMs),
      controller: pid === 0 ? null : processOf(pid),
      heap: heapOf(heapFile, pid),
      supervisors: {
        rss: sum(supervisors.map((one) => one?.rss ?? 0)),
        files: sum(supervisors.map((one) => one?.files ?? 0)),
      },
      processes: processesOf(home.base).length,
      connections: sum(nodes.map(({ server }) => server.sessions().length)),
      sessions: sum(nodes.map(({ root }) => sessionsAt(root).length)),
      attempts: sum(nodes.map(attemptsKept)),
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Names of the tmux sessions of a worker. */
export function sessionsAt(root: string): string[] {
  const socket = join(root, 'run', 'tmux.sock');
  if (!existsSync(socket)) return [];
  const args = ['-S', socket, 'list-sessions', '-F', '#{session_name}'];
  const { stdout } = spawnSync('tmux', args, { encoding: 'utf8', timeout: 5000 });
  return (stdout ?? '').split('\n').filter((name) => name !== '');
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
