/**
 * When a process started, as a text that no other process with the same pid ever has: pids are reused, and a lock
 * whose holder was killed must not be taken for held because something else got its number.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identity of the running process with this pid; null when there is none (a zombie counts as none); 'unknown' when the system does not tell. */
export function processStart(pid: number): string | null {
  if (!exists(pid)) return null;
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

/** Boot id and field 22 of /proc/<pid>/stat: clock ticks from boot to the start of the process (proc_pid_stat(5)). */
function startFromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    // Gone since it was looked for, or /proc is mounted so that other users' processes are hidden.
    return exists(pid) ? unlessCode(error, 'ESRCH', 'unknown') : null;
  }
  // The program's name, field 2, may hold blanks and parentheses; field 3 is the first one after the last of these.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (isDead(fields[0])) return null;
  return `${bootId()} ${fields[19] ?? 'unknown'}`;
}

/** State and start as `ps` prints them, to the second, in a fixed language and time zone. */
export function startFromPs(pid: number): string | null {
  let line: string;
  try {
    line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    }).trim();
  } catch {
    // `ps` says nothing and fails when there is no such process.
    return exists(pid) ? 'unknown' : null;
  }
  const [state, ...start] = line.split(/\s+/);
  return isDead(state) ? null : start.join(' ');
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return unlessCode(error, 'ESRCH', true) ?? false;
  }
}

function isDead(state: string | undefined): boolean {
  return state?.startsWith('Z') === true || state?.startsWith('X') === true;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    // Hidden in some sandboxes; the ticks alone still tell processes of one boot apart.
    return 'boot';
  }
}

function unlessCode<T>(error: unknown, code: string, otherwise: T): T | null {
  return (error as NodeJS.ErrnoException).code === code ? null : otherwise;
}
