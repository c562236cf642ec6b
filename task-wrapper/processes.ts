/**
 * The processes of an attempt: those of its step's session and group, and those that left it (setsid, nohup, a daemon)
 * but still carry DISPATCH_TOKEN in the environment they were started with.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Token } from '../src/model/ids.ts';
import { exists, startTime, statFields } from './host.ts';

const run = promisify(execFile);

/** Whose processes are meant. */
export interface Suspect {
  readonly token: Token;
  /** Leader of the step's session; null when no step has begun. */
  readonly leader: number | null;
}

/** Between asking and killing. */
export const GRACE_MS = 5000;
/** A process that outlives SIGKILL this long is stuck in the kernel; the attempt ends without it. */
const STUCK_MS = 10_000;

/** True while the step's launch.sh lives. Its command line holds the token, so a later process with its number is told apart. */
export function leads(pid: number, token: Token): boolean {
  if (!exists(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(token);
  } catch {
    return false;
  }
}

/**
 * Asks the step's processes to end. Of an agent in a cage only those inside are asked: the program that stands around them
 * would take them all down with it at once. They have a session of their own in there, and carry the attempt's marker.
 */
export function askToEnd(suspect: Suspect): void {
  const inside = process.platform === 'linux' ? apart(suspect) : [];
  if (inside.length === 0) signalGroup(suspect, 'SIGTERM');
  for (const pid of inside) kill(pid, 'SIGTERM');
}

/** Processes of the attempt in another process namespace than ours. */
function apart(suspect: Suspect): number[] {
  const ours = namespaceOf('self');
  return scanProc(suspect).filter((pid) => {
    const its = namespaceOf(pid);
    return its !== null && its !== ours;
  });
}

function namespaceOf(pid: number | 'self'): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

/** Kills everything of the attempt, its launch.sh included, until nothing is left; what outlives that for long is returned. */
export async function killAll(suspect: Suspect): Promise<number[]> {
  const until = performance.now() + STUCK_MS;
  signalGroup(suspect, 'SIGKILL');
  for (let pause = 2; ; pause = Math.min(pause * 2, 200)) {
    const left = await processesOf(suspect);
    if (left.length === 0 || performance.now() > until) return left;
    for (const pid of left) kill(pid);
    // A killed process leaves when the kernel has torn it down, and there is no event for that.
    await delay(pause);
  }
}

/** Kills what a step that has ended left running: background children, daemons. launch.sh itself is about to leave and is spared. */
export async function killLeftovers(suspect: Suspect): Promise<void> {
  for (const pid of await processesOf(suspect)) if (pid !== suspect.leader) kill(pid);
}

/** True when processes of the step's group are left; cheap, and blind to those that made a group of their own. */
export function groupLives(suspect: Suspect): boolean {
  const group = groupOf(suspect);
  return group !== null && exists(-group);
}

async function processesOf(suspect: Suspect): Promise<number[]> {
  return process.platform === 'linux' ? scanProc(suspect) : await scanPs(suspect);
}

/** The number of a leader that is dead stays taken while its group lives; once it names a process that is not launch.sh, the group is gone and the number another's. */
function groupOf({ token, leader }: Suspect): number | null {
  if (leader === null || leader <= 1) return null;
  return startTime(leader) === null || leads(leader, token) ? leader : null;
}

function signalGroup(suspect: Suspect, signal: 'SIGTERM' | 'SIGKILL'): void {
  const group = groupOf(suspect);
  if (group !== null) kill(-group, signal);
}

function scanProc(suspect: Suspect): number[] {
  const marker = `DISPATCH_TOKEN=${suspect.token}`;
  const group = groupOf(suspect);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const stat = statFields(pid);
      if (stat === null || stat.state === 'Z' || stat.state === 'X') return false;
      if (group !== null && (stat.session === group || stat.group === group)) return true;
      return environmentHas(pid, marker);
    })
    .map(Number);
}

function environmentHas(pid: string, marker: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${marker}`);
  } catch {
    return false;
  }
}

/** Without /proc: `ps -E` shows the environment of one's own processes. */
async function scanPs(suspect: Suspect): Promise<number[]> {
  const group = groupOf(suspect);
  const { stdout } = await run('ps', ['-axEww', '-o', 'pid=,pgid=,stat=,command='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, pid, pgid, state, command]) => {
      if (Number(pid) === process.pid || state?.startsWith('Z')) return false;
      return Number(pgid) === group || command?.includes(`DISPATCH_TOKEN=${suspect.token}`);
    })
    .map(([, pid]) => Number(pid));
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}
