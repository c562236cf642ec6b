/** Facts of the machine that an attempt's life depends on: which boot this is, the clock that does not jump, who is alive. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

let bootId: string | null = null;

/** Identifies the running boot: processes of another one are dead. */
export function readBootId(): string {
  bootId ??=
    process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      : execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
  return bootId;
}

/** Monotonic milliseconds since boot, the same clock for every process of the boot; it stands still while the machine sleeps. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** True while the process exists, whoever owns it. A zombie exists. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When the process started, as an opaque text that tells it from a later one with the same id; null when there is no
 * such process, or it has ended and only waits to be reaped.
 */
export function startTime(pid: number): string | null {
  if (process.platform === 'linux') {
    const fields = statFields(pid);
    return fields === null || fields.state === 'Z' || fields.state === 'X' ? null : fields.start;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** True while the process stands still by SIGSTOP, or as a job of a terminal: it lives, and does nothing until somebody lets it go on. */
export function isStopped(pid: number): boolean {
  if (process.platform === 'linux') return statFields(pid)?.state === 'T';
  try {
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
  } catch {
    return false;
  }
}

export interface ProcessStat {
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly start: string;
}

/** The parts of /proc/<pid>/stat that matter here; null when the process is gone. The name in it may hold anything, so fields count from its last `)`. */
export function statFields(pid: number | string): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? 'X',
    group: Number(fields[2]),
    session: Number(fields[3]),
    start: fields[19] ?? '',
  };
}
