import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Ends what a worker left running under its root. The supervisor first: it would start another tmux server, and itself
 * inside, when it lost this one.
 */
export function endWorker(root: string): void {
  const record = join(root, 'run', 'supervisor');
  const pid = existsSync(record) ? Number(readFileSync(record, 'utf8').split('\n')[0]) : 0;
  const args =
    pid > 0 ? spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout : '';
  if (args.includes(root)) kill(pid);
  const socket = join(root, 'run', 'tmux.sock');
  if (existsSync(socket)) spawnSync('tmux', ['-S', socket, 'kill-server'], { stdio: 'ignore' });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It left by itself.
  }
}
