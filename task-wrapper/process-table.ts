/**
 * All processes of the machine in one pass, so that looking at a thousand attempts costs no more than looking at one. What
 * needs several files per process (what it sleeps in, its command line) is asked for only of those that are to be shown.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import type { ProcessSeen } from '../src/model/stall.ts';

const run = promisify(execFile);

export interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly state: ProcessSeen['state'];
  /** Own CPU time, and that of children that have ended and were waited for, milliseconds. */
  readonly cpuMs: number;
  /** Own CPU time alone. */
  readonly ownMs: number;
  readonly ageMs: number;
  /** Only where the table came with it. */
  readonly command: string | null;
}

/** Linux counts in hundredths of a second for programs, whatever the kernel's own tick is. */
const TICK_MS = 10;
/** Open files of a process that are looked at. */
const MOST_FILES = 256;
const COMMAND_BYTES = 400;

export class ProcessTable {
  readonly #rows: readonly Row[];
  readonly #children = new Map<number, Row[]>();
  readonly #sessions = new Map<number, Row[]>();
  readonly #online = new Map<string, ReadonlySet<string>>();

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    for (const row of rows) {
      append(this.#children, row.parent, row);
      append(this.#sessions, row.session, row);
      if (row.group !== row.session) append(this.#sessions, row.group, row);
    }
  }

  /** Every process as it is now. */
  static async read(): Promise<ProcessTable> {
    return new ProcessTable(process.platform === 'linux' ? readProc() : await readPs());
  }

  get size(): number {
    return this.#rows.length;
  }

  /** What a step's shell has started, itself left out; the oldest first. */
  under(leader: number): Row[] {
    const found = new Map<number, Row>();
    const waiting = [...(this.#children.get(leader) ?? []), ...(this.#sessions.get(leader) ?? [])];
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      if (row.pid === leader || found.has(row.pid)) continue;
      found.set(row.pid, row);
      waiting.push(...(this.#children.get(row.pid) ?? []));
    }
    return [...found.values()].toSorted((a, b) => b.ageMs - a.ageMs || a.pid - b.pid);
  }

  /** What it sleeps in, as far as that can be seen. */
  waitsOf({ pid, state }: Row): ProcessSeen['waits'] {
    if (state !== 'sleeping' || process.platform !== 'linux') return null;
    const files = openFiles(pid);
    const terminals = files.filter(({ path }) => /^\/dev\/(?:tty$|pts\/\d|console$)/.test(path));
    const reads = terminals.length === 0 ? 'no' : readsFrom(pid, terminals);
    if (reads === 'yes') return 'terminal';
    if (files.some(({ path }) => this.#isConnection(pid, path))) return 'network';
    return reads === 'perhaps' ? 'terminal' : null;
  }

  #isConnection(pid: number, path: string): boolean {
    const inode = /^socket:\[(\d+)\]$/.exec(path)?.[1];
    return inode !== undefined && this.#connections(pid).has(inode);
  }

  /** Inodes of TCP sockets that are connected or connecting, in the process's own network. */
  #connections(pid: number): ReadonlySet<string> {
    const network = readLink(`/proc/${pid}/ns/net`) ?? 'own';
    const known = this.#online.get(network);
    if (known !== undefined) return known;
    const inodes = ['tcp', 'tcp6'].flatMap((kind) =>
      readText(`/proc/${pid}/net/${kind}`)
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        // 01 established, 02 a connection that is being made.
        .filter((fields) => fields[3] === '01' || fields[3] === '02')
        .map((fields) => fields[9] ?? ''),
    );
    const online = new Set(inodes);
    this.#online.set(network, online);
    return online;
  }
}

/** The command line as it was given; the name where there is none any more. */
export function commandOf({ pid, command }: Row): string {
  if (command !== null) return command;
  const line = readText(`/proc/${pid}/cmdline`).slice(0, COMMAND_BYTES).replaceAll('\0', ' ').trim();
  return line === '' ? readText(`/proc/${pid}/comm`).trim() : line;
}

function append(map: Map<number, Row[]>, key: number, row: Row): void {
  const rows = map.get(key);
  if (rows === undefined) map.set(key, [row]);
  else rows.push(row);
}

function readProc(): Row[] {
  const upMs = Number(readText('/proc/uptime').split(' ')[0]) * 1000;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const text = readText(`/proc/${name}/stat`);
    // The name in it may hold anything, so fields count from its last `)`.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 20) return [];
    const ticks = (at: number): number => Number(fields[at]) * TICK_MS;
    return [
      {
        pid: Number(name),
        parent: Number(fields[1]),
        group: Number(fields[2]),
        session: Number(fields[3]),
        state: stateOf(fields[0] ?? ''),
        ownMs: ticks(11) + ticks(12),
        cpuMs: ticks(11) + ticks(12) + ticks(13) + ticks(14),
        ageMs: Math.max(0, Math.round(upMs - ticks(19))),
        command: null,
      },
    ];
  });
}

/** Without /proc. What a process sleeps in is not told there. */
async function readPs(): Promise<Row[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,ppid=,pgid=,stat=,time=,etime=,command='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => psRow(line) ?? []);
}

/** One line of `ps -o pid=,ppid=,pgid=,stat=,time=,etime=,command=`; null when it is none. */
export function psRow(line: string): Row | null {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line);
  if (match === null) return null;
  const [, pid, parent, group, state = '', time = '', age = '', command = ''] = match;
  const cpuMs = clockMs(time);
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    // It knows no number of a session; a step's shell leads both.
    session: Number(group),
    state: stateOf(state[0] ?? ''),
    ownMs: cpuMs,
    cpuMs,
    ageMs: clockMs(age),
    command: command.slice(0, COMMAND_BYTES),
  };
}

/** `1-02:03:04`, `02:03:04`, `3:04.56` in milliseconds. */
function clockMs(text: string): number {
  const [, days = '0', rest = '0'] = /^(?:(\d+)-)?(.*)$/.exec(text) ?? [];
  const seconds = rest.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1000);
}

function stateOf(letter: string): ProcessSeen['state'] {
  switch (letter) {
    case 'R':
      return 'running';
    case 'D':
    case 'U':
      return 'disk';
    case 'T':
    case 't':
      return 'stopped';
    case 'Z':
    case 'X':
      return 'zombie';
    default:
      return 'sleeping';
  }
}

interface OpenFile {
  readonly fd: number;
  readonly path: string;
}

function openFiles(pid: number): OpenFile[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .slice(0, MOST_FILES)
      .flatMap((fd) => {
        const path = readLink(`/proc/${pid}/fd/${fd}`);
        return path === null ? [] : [{ fd: Number(fd), path }];
      });
  } catch {
    return [];
  }
}

/**
 * `perhaps`: it waits for several files, as programs do that draw menus, or the kernel keeps the system call to itself and
 * tells the function alone.
 */
function readsFrom(pid: number, terminals: readonly OpenFile[]): 'yes' | 'perhaps' | 'no' {
  const [call = '', first] = readText(`/proc/${pid}/syscall`).split(' ');
  if (/^\d+$/.test(call) && READS.has(Number(call)))
    return terminals.some(({ fd }) => fd === Number(first)) ? 'yes' : 'no';
  const waits =
    /^(?:n_tty_read|wait_woken|do_epoll_wait|ep_poll|do_poll|poll_schedule_timeout|do_select|do_sys_poll)/;
  return waits.test(readText(`/proc/${pid}/wchan`)) ? 'perhaps' : 'no';
}

/** read and readv. */
const READS = new Set(process.arch === 'x64' ? [0, 19] : [63, 65]);

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
