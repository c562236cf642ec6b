/**
 * A node that is a machine of its own, as far as its processes can tell: namespaces of processes, mounts and boot time,
 * its own boot id, /run, clocks and disk, and an sshd as its first process. So it can be switched off and on (everything
 * that ran is gone at once, what is on its disk stays), its clocks set and its disk filled, and nothing outside notices.
 * Needs root on Linux; the rest of the file system is this machine's, so that marks and programs are found.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { type GroupLimits, makeGroup, removeGroup } from '../../task-wrapper/sandbox-group.ts';
import { SmallDisk } from '../cluster/disk.ts';
import { freePort, Sshd } from '../cluster/sshd.ts';

export interface MachineOptions {
  readonly name: string;
  /** Where the worker keeps everything; on a disk of its own of this size. */
  readonly root: string;
  readonly disk: string;
  /** HOME of every session. */
  readonly home: string;
  /** Variables of every session. */
  readonly env?: Readonly<Record<string, string>>;
  /** What all its processes may have together; absent: what there is. */
  readonly limits?: GroupLimits;
  /** A network of its own, and its address there; absent: this machine's. */
  readonly network?: { readonly address: string; readonly launcher: readonly string[] };
}

/** $1: the machine's directory; the rest is its first process. */
const BOOT = `set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
mount -t tmpfs -o mode=755 tmpfs "$1/etc"
mkdir "$1/etc/upper" "$1/etc/work"
ln -s "$1/clock" "$1/etc/upper/chaos-clock"
cp "$1/machine.so" "$1/boot-id" "$1/etc/upper"
mv "$1/etc/upper/boot-id" "$1/etc/upper/chaos-boot-id"
echo /etc/machine.so >"$1/etc/upper/ld.so.preload"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc/upper,workdir=$1/etc/work" /etc
shift
exec "$@"`;

/** Why there can be no such machine here; null: there can. */
export function noMachine(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can make machines';
  if (spawnSync('cc', ['--version']).error !== undefined) return 'there is no C compiler (apt install gcc)';
  const probe =
    'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w && mount -t overlay overlay -o lowerdir=/etc,upperdir=$d/u,workdir=$d/w /etc';
  const made = spawnSync('unshare', [...SPACES, 'sh', '-c', probe], { encoding: 'utf8' });
  return made.status === 0 ? null : `namespaces are not allowed here: ${made.stderr.trim()}`;
}

const SPACES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--time'];

export class Machine {
  readonly name: string;
  readonly root: string;
  readonly disk: SmallDisk;
  readonly sshd: Sshd;
  readonly clock: Clock;
  readonly #dir: string;
  readonly #group: { readonly name: string; readonly limits: GroupLimits } | null;
  #space: string | null = null;

  private constructor(options: MachineOptions, dir: string, port: number) {
    this.name = options.name;
    this.root = options.root;
    this.#dir = dir;
    this.disk = new SmallDisk(options.root, options.disk, () => undefined);
    this.clock = new Clock(join(dir, 'clock'));
    const { limits, network } = options;
    this.#group = limits === undefined ? null : { name: `chaos-${process.pid}-${options.name}`, limits };
    this.sshd = new Sshd(dir, port, {
      alias: options.name,
      home: options.home,
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(network === undefined ? {} : { address: network.address }),
      launcher: () => [
        ...this.#bounds(),
        ...(network?.launcher ?? []),
        ...this.#spaces(),
        'sh',
        '-c',
        BOOT,
        'boot',
        dir,
      ],
    });
  }

  /** A machine that runs. */
  static async start(options: MachineOptions): Promise<Machine> {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'chaos-machine-')));
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'etc'));
    compileLibrary(join(dir, 'machine.so'));
    const machine = new Machine(options, dir, await freePort());
    await machine.sshd.prepare();
    await machine.switchOn();
    return machine;
  }

  get isOn(): boolean {
    return this.#space !== null;
  }

  /** Boots: another boot id, nothing in /run, clocks that count from now. */
  async switchOn(): Promise<void> {
    writeFileSync(join(this.#dir, 'boot-id'), `${randomUUID()}\n`);
    await this.sshd.start();
    this.#space = readlinkSync(`/proc/${this.#init()}/ns/pid`);
  }

  /** Everything that runs there is gone at once; the disk stays. */
  async switchOff(): Promise<void> {
    const before = this.processes();
    await this.sshd.halt();
    this.#space = null;
    // The kernel ends the rest when the first process has; until it has, a socket may still be open.
    while (before.some((pid) => existsSync(`/proc/${pid}/exe`)))
      await new Promise((then) => setTimeout(then, 5));
  }

  /** Ids, as this machine counts them, of all that runs there, its sshd included. */
  processes(): number[] {
    const space = this.#space;
    if (space === null) return [];
    return readdirSync('/proc')
      .filter((name) => /^\d+$/u.test(name) && namespaceOf(name) === space)
      .map(Number);
  }

  /** Those whose command line has this in it. */
  running(words: RegExp): number[] {
    return this.processes().filter((pid) => words.test(commandOf(pid)));
  }

  get tmuxServer(): number | undefined {
    return this.running(/^tmux\0(?:.*\0)?new-session\0/u).find((pid) =>
      nameOf(pid).startsWith('tmux: server'),
    );
  }

  get supervisor(): number | undefined {
    // The tmux server that was started with it has its words as well.
    return this.running(/task-wrapper-[^\0]*\0supervise\0/u).find((pid) => nameOf(pid) === 'node');
  }

  /** What sshd has made for connections: its own first process, which takes new ones, is left out. */
  get connections(): number[] {
    const init = this.#init();
    return this.processes().filter((pid) => pid !== init && nameOf(pid).startsWith('sshd'));
  }

  /** Processes between a connection and the supervisor. */
  get joints(): number[] {
    return this.running(/task-wrapper-[^\0]*\0rpc\0/u);
  }

  /** The worker's sockets, pipe and records are gone, as where they are kept in memory. Only while it is off. */
  clearRun(): void {
    for (const name of ['rpc.sock', 'tmux.sock', 'wake', 'supervisor', 'lock'])
      rmSync(join(this.root, 'run', name), { recursive: true, force: true });
  }

  /**
   * Runs this in a shell that shares what the machine may have, without being seen there; it leads a group of processes.
   * Null where the machine has no bounds.
   */
  squeeze(script: string): ChildProcess | null {
    if (this.#group === null) return null;
    const [program, ...words] = [...this.#bounds(), 'sh', '-c', script];
    return spawn(program, words, { stdio: 'ignore', detached: true });
  }

  /** Ends everything, and gives the disk back. */
  async remove(): Promise<void> {
    if (this.isOn) await this.switchOff();
    await this.sshd.stop();
    this.disk.unmount();
    if (this.#group !== null) removeGroup(this.#group.name);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Words that put what follows into the machine's group. */
  #bounds(): string[] {
    if (this.#group === null) return [];
    const files = makeGroup(this.#group.name, this.#group.limits);
    if (files === null) throw new Error('no control group can be made');
    const join = files.map((file) => `echo $$ >'${file}'`).join(' && ');
    return ['sh', '-c', `${join} && exec "$@"`, 'bounded'];
  }

  #spaces(): string[] {
    // A machine that has just been switched on has been up for a minute.
    const since = String(60 - Math.floor(uptime()));
    return ['unshare', ...SPACES, '--monotonic', since, '--boottime', since];
  }

  #init(): number {
    const { pid } = this.sshd;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  }
}

/** What a tree of processes is told of the time, besides the truth. */
export class Clock {
  readonly path: string;
  #wallMs = 0;
  #monoMs = 0;
  /** How often it was set forward by a day or more. */
  days = 0;

  constructor(path: string) {
    this.path = path;
    writeFileSync(path, Buffer.alloc(16));
  }

  /** Milliseconds that the wall clock is ahead. */
  get wallMs(): number {
    return this.#wallMs;
  }

  /** Sets the wall clock ahead by so much, or back. */
  step(ms: number): void {
    if (ms >= 24 * 3_600_000) this.days += 1;
    this.#wallMs += ms;
    this.#write();
  }

  /** Both clocks run ahead, as on a virtual machine that was stopped for so long. */
  leap(ms: number): void {
    this.#wallMs += ms;
    this.#monoMs += ms;
    this.#write();
  }

  #write(): void {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(Math.round(this.#wallMs)) * 1_000_000n, 0);
    bytes.writeBigInt64LE(BigInt(Math.round(this.#monoMs)) * 1_000_000n, 8);
    // In place, and in one write: the file is mapped.
    const fd = openSync(this.path, 'r+');
    writeSync(fd, bytes, 0, 16, 0);
    closeSync(fd);
  }
}

/** Variables that put a process tree of this machine under such a clock. */
export function clockVariables(clock: Clock, library: string): Record<string, string> {
  return { CHAOS_CLOCK: clock.path, LD_PRELOAD: library };
}

export function compileLibrary(to: string): void {
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', to, join(import.meta.dirname, 'machine.c')]);
}

function namespaceOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

/** The command line, its words ended by NUL. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return '';
  }
}
