/**
 * Processes and tmux sessions that a run left behind. What may stay for a while: the supervisor of each node, its tmux
 * server and its connection to it, the sshd in front of a node. Everything else of the run has ended or is about to, and
 * is waited for.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../cluster/until.ts';
import type { Scene } from './verdict.ts';

/** A git that a killed controller left, or a stream that waits for a supervisor to start, which it does for so long. Milliseconds. */
const PATIENCE_MS = 90_000;

export async function orphans(scene: Scene): Promise<string[]> {
  let found: string[] = [];
  const looks = (): boolean => {
    found = [...strayProcesses(scene), ...straySessions(scene)];
    return found.length === 0;
  };
  await until('that everything has ended', looks, scene.patienceMs ?? PATIENCE_MS).catch(() => undefined);
  return found;
}

function strayProcesses({ base, roots, mine = [] }: Scene): string[] {
  const kept = new Set([process.pid, ...mine]);
  for (const root of roots) {
    const record = join(root, 'run', 'supervisor');
    if (existsSync(record)) kept.add(Number(readFileSync(record, 'utf8').split('\n')[0]));
  }
  return pids()
    .filter((pid) => !kept.has(pid) && belongsTo(base, pid) && !mayStay(pid, kept))
    .map((pid) => `process ${pid} is left: ${commandOf(pid)}`);
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

function belongsTo(base: string, pid: number): boolean {
  if (readLink(`/proc/${pid}/cwd`).startsWith(`${base}/`)) return true;
  return [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`].some((file) => read(file).includes(`${base}/`));
}

/** tmux, its client for the supervisor, and sshd; a process that is only a name in a table has ended. */
function mayStay(pid: number, kept: ReadonlySet<number>): boolean {
  const status = read(`/proc/${pid}/status`);
  if (status === '' || /^State:\s*[ZX]/mu.test(status)) return true;
  const name = /^Name:\s*(.*)$/mu.exec(status)?.[1] ?? '';
  const parent = Number(/^PPid:\s*(\d+)$/mu.exec(status)?.[1] ?? 0);
  return (
    name.startsWith('tmux: server') ||
    name.startsWith('sshd') ||
    (name.startsWith('tmux') && kept.has(parent))
  );
}

function straySessions({ roots }: Scene): string[] {
  return roots.flatMap((root) => {
    const socket = join(root, 'run', 'tmux.sock');
    if (!existsSync(socket)) return [];
    const { stdout } = spawnSync('tmux', ['-S', socket, 'list-sessions', '-F', '#{session_name}'], {
      encoding: 'utf8',
    });
    return stdout
      .split('\n')
      .filter((name) => name !== '' && name !== 'supervisor')
      .map((name) => `session ${name} is left on ${root}`);
  });
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
