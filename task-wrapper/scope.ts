/**
 * Scopes of the user's systemd: how an ordinary account gets a control group of its own for an attempt. Found out by making
 * one, once per supervisor: a user manager that runs may still have no controllers to give.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { CageLimit, CageLimits } from '../src/model/cage.ts';
import { readIfThere } from './durable.ts';
import { findProgram } from './find-program.ts';
import { limitMet, memoryOf } from './sandbox-group.ts';

const run = promisify(execFile);
const PATIENCE_MS = 10_000;

let known: Promise<string | null> | null = null;

/** The directory that systemd-run finds the user's manager in; null: there is none that makes scopes. */
export async function findScopes(): Promise<string | null> {
  known ??= probe();
  return await known;
}

async function probe(): Promise<string | null> {
  const dir = managerDir();
  const program = findProgram('systemd-run');
  if (program === null || !existsSync(`${dir}/systemd`)) return null;
  const limits = { memory: 64 * 1024 ** 2, processes: 16, cpus: null };
  const [file = '', ...args] = scoped(['/bin/true'], {
    unit: `dispatch-probe-${process.pid}`,
    limits,
    dir,
    counters: '/dev/null',
  });
  return await run(file, args, { timeout: PATIENCE_MS }).then(
    () => dir,
    () => null,
  );
}

export interface Scope {
  readonly unit: string;
  readonly limits: Pick<CageLimits, 'memory' | 'processes' | 'cpus'>;
  /** As `findScopes` says. */
  readonly dir: string;
  /** File that the kernel's counters of the scope are written to when the command has ended. */
  readonly counters: string;
}

/**
 * The command in a scope of its own. A shell stays around it, because the counters go with the scope. The manager's socket
 * is named for systemd-run alone: who could talk to it could start programs outside. Pure but for the machine's memory.
 */
export function scoped(argv: readonly string[], { unit, limits, dir, counters }: Scope): string[] {
  const properties = [
    `MemoryMax=${memoryOf(limits)}`,
    'MemorySwapMax=0',
    `TasksMax=${limits.processes}`,
    ...(limits.cpus === null ? [] : [`CPUQuota=${Math.ceil(limits.cpus * 100)}%`]),
  ];
  const script = [
    'unset XDG_RUNTIME_DIR',
    '"$@"',
    'code=$?',
    'at=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)',
    '{ cat "$at/memory.events"; sed "s/^max/forks/" "$at/pids.events"; } >"$counters" 2>/dev/null',
    'exit $code',
  ];
  const start = ['systemd-run', '--user', '--scope', '--quiet', '--collect', `--unit=${unit}`];
  return [
    '/usr/bin/env',
    `XDG_RUNTIME_DIR=${dir}`,
    ...start,
    ...properties.flatMap((one) => ['-p', one]),
    '--',
    '/bin/sh',
    '-c',
    `counters=$1; shift; ${script.join('; ')}`,
    'sh',
    counters,
    ...argv,
  ];
}

/** Which bound of its scope the command met, of the file that it left. */
export function scopeMet(counters: string): CageLimit | null {
  const text = readIfThere(counters) ?? '';
  return limitMet({
    memory: text,
    processes: text.replaceAll(/^max /gm, 'reclaimed ').replaceAll(/^forks /gm, 'max '),
  });
}

/** Ends what is left in the scope of a command that has ended; nothing waits for that. */
export function stopScope(unit: string): void {
  const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: managerDir() };
  execFile('systemctl', ['--user', 'stop', `${unit}.scope`], { env, timeout: PATIENCE_MS }, () => {
    // With its last process the scope has gone by itself.
  });
}

function managerDir(): string {
  return `/run/user/${userInfo().uid}`;
}
