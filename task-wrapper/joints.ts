/**
 * A joint is the `rpc` process between a connection and the supervisor. It ends when either side does; one that was
 * stopped does not, and would stay for good when its stream has been given up.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Root } from './root.ts';

const run = promisify(execFile);
const MOST_BYTES = 64 * 1024 * 1024;

/** Kills those of this root that stand still. A connection that one of them still served is made anew by its controller. */
export async function endStoppedJoints(root: Root): Promise<void> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,state=,command='], { maxBuffer: MOST_BYTES });
  for (const line of stdout.split('\n')) {
    const [, pid, command = ''] = /^\s*(\d+)\s+T\S*\s+(.*)$/u.exec(line) ?? [];
    if (pid === undefined || !isJoint(root, command)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It went on and has ended.
    }
  }
}

function isJoint(root: Root, command: string): boolean {
  return `${command} `.includes(` rpc --root ${root.path} `);
}
