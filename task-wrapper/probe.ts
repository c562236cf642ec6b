/** Facts about this machine, for people and for placing work. */
import { execFile } from 'node:child_process';
import { type StatsFs, statfsSync } from 'node:fs';
import { arch, cpus, freemem, hostname, loadavg, platform, totalmem, userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { ProbeAsk } from '../src/executors/probe.ts';
import type { Health, Probe } from '../src/protocol/messages.ts';
import { probeExecutor } from './executor-probe.ts';
import { findProgram } from './find-program.ts';
import { readBootId } from './host.ts';
import type { Root } from './root.ts';
import { reportSandbox } from './sandbox-probe.ts';
import type { Stalls } from './stalls.ts';
import { cleanEnv } from './tmux.ts';

const run = promisify(execFile);

export async function probe(
  root: Root,
  programs: readonly string[],
  executors: Readonly<Record<string, ProbeAsk>>,
): Promise<Probe> {
  const asked = Object.entries(executors);
  const [tmux, git, sandbox, ...reports] = await Promise.all([
    version('tmux', '-V'),
    version('git', '--version'),
    reportSandbox(root),
    ...asked.map(([, ask]) => probeExecutor(root, ask)),
  ]);
  const disk = statfsSync(root.path);
  return {
    platform: platform(),
    arch: arch(),
    hostname: hostname(),
    user: userInfo().username,
    node: process.version.slice(1),
    tmux,
    git,
    cores: cpus().length,
    load1: loadavg()[0] ?? 0,
    memoryTotal: totalmem(),
    memoryFree: freemem(),
    diskFree: disk.bavail * disk.bsize,
    diskTotal: disk.blocks * disk.bsize,
    files: filesOf(disk),
    root: root.path,
    bootId: readBootId(),
    clock: Date.now(),
    programs: Object.fromEntries(programs.map((name) => [name, findProgram(name)])),
    sandbox,
    executors: Object.fromEntries(reports.map((report, i) => [asked[i]?.[0], report])),
  };
}

/** Versions seldom change, and asking for them starts programs. Milliseconds. */
const VERSIONS_MS = 3_600_000;
let versions: { readonly at: number; readonly tmux: string | null; readonly git: string | null } | null =
  null;

export interface Vitals {
  /** Attempts that run now. */
  readonly attempts: number;
  /** With less than this the node takes no attempt. */
  readonly reserve: { readonly bytes: number; readonly files: number };
  readonly stalls: Stalls;
}

export async function health(root: Root, { attempts, reserve, stalls }: Vitals): Promise<Health> {
  if (versions === null || performance.now() - versions.at > VERSIONS_MS) {
    const [tmux, git] = await Promise.all([version('tmux', '-V'), version('git', '--version')]);
    versions = { at: performance.now(), tmux, git };
  }
  const disk = statfsSync(root.path);
  return {
    cores: cpus().length,
    load1: loadavg()[0] ?? 0,
    memoryTotal: totalmem(),
    memoryFree: freemem(),
    diskFree: disk.bavail * disk.bsize,
    diskTotal: disk.blocks * disk.bsize,
    files: filesOf(disk),
    bootId: readBootId(),
    clock: Date.now(),
    attempts,
    node: process.version.slice(1),
    tmux: versions.tmux,
    git: versions.git,
    reserve,
    stallMs: stalls.longestMs(),
  };
}

/** File systems without a fixed number of files say 0 of 0. */
function filesOf({ files, ffree }: StatsFs): { readonly free: number; readonly total: number } | null {
  return files === 0 ? null : { free: ffree, total: files };
}

/** Bytes and files that can still be written under the root. */
export function freeSpace(root: Root): { readonly bytes: number; readonly files: number } {
  const disk = statfsSync(root.path);
  return { bytes: disk.bavail * disk.bsize, files: filesOf(disk)?.free ?? Number.POSITIVE_INFINITY };
}

async function version(program: string, flag: string): Promise<string | null> {
  try {
    const { stdout } = await run(program, [flag], { timeout: 10_000, env: cleanEnv() });
    return /\d[0-9A-Za-z.]*/.exec(stdout)?.[0] ?? stdout.trim();
  } catch {
    return null;
  }
}
