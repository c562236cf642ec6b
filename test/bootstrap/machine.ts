/**
 * A machine to bootstrap that cannot hurt this one: an overlay over this machine's root, or over another directory, in
 * namespaces of its own. Everything is real (accounts, files, processes), everything that is written lands in a directory
 * in memory, and all of it is gone when the first process of the namespace is.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const SCRIPT = resolve(import.meta.dirname, '../../bootstrap/bootstrap.sh');
/** Where the script is on the machine. */
const THERE = '/tmp/bootstrap.sh';
const PACKAGES = [
  'curl',
  'git',
  'tmux',
  'bubblewrap',
  'python3',
  'procps',
  'openssh-server',
  'openssh-client',
];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const SET_UP = `set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mkdir tmp/upper run/sshd
mount --bind "$1/upper" tmp/upper
touch tmp/bootstrap.sh
mount --bind "$3" tmp/bootstrap.sh
# The way to the network is this machine's.
[ "$2" = / ] || cp -L /etc/resolv.conf etc/resolv.conf
for file in /usr/local/share/ca-certificates/*.crt; do
[ "$2" = / ] || ! [ -e "$file" ] || install -D -m 644 "$file" ".$file"
done
shift 3
for shared; do mkdir -p ".\${shared#*:}"; mount --bind "\${shared%%:*}" ".\${shared#*:}"; done
pivot_root . mnt
cd /
mount -t proc proc /proc
umount -l /mnt
echo ready
`;

/** Until its input ends. */
const IDLE = 'read -r _ || :';

/**
 * systemd, as containers start it: the kernel's settings and devices cannot be written, so that what it does at the start
 * of a machine reaches only this one. Nothing is begun but what a test asks for.
 */
const SYSTEMD = `mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
rm -rf /etc/systemd/system /etc/systemd/user
mkdir -p /etc/systemd/system /etc/systemd/user
for unit in systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-tmpfiles-clean systemd-udevd systemd-udev-trigger \
systemd-sysctl systemd-modules-load systemd-binfmt systemd-random-seed systemd-remount-fs systemd-update-utmp; do
ln -s /dev/null "/etc/systemd/system/$unit.service"
done
printf '[Unit]\\nRequires=dbus.socket\\nAfter=dbus.socket\\n' >/etc/systemd/system/machine.target
exec env -i container=dispatch PATH="$PATH" /lib/systemd/systemd --system --unit=machine.target --log-target=null --show-status=0`;

export interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineOptions {
  /** Directories of this machine that are the same there; `here:there` when they have another path. */
  readonly shared?: readonly string[];
  /** What the machine is made of: the root of this machine, or a directory with another system. */
  readonly root?: string;
  readonly network?: boolean;
  /** Whether systemd is its first process, for units and the managers of users. */
  readonly systemd?: boolean;
}

export class Machine {
  readonly #init: ChildProcess;
  readonly #dir: string;
  #pid = 0;

  constructor({ shared = [], root = '/', network = true, systemd = false }: MachineOptions = {}) {
    this.#dir = mkdtempSync(join(tmpdir(), 'dispatch-machine-'));
    const spaces = [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      ...(systemd ? ['--cgroup', '--uts', '--ipc'] : []),
      ...(network ? [] : ['--net']),
    ];
    this.#init = spawn(
      'unshare',
      [
        ...spaces,
        'bash',
        '-c',
        SET_UP + (systemd ? SYSTEMD : IDLE),
        'machine',
        this.#dir,
        root,
        SCRIPT,
        ...shared,
      ],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
  }

  async ready(): Promise<void> {
    await new Promise<void>((done, failed) => {
      this.#init.once('exit', (code) => failed(new Error(`the machine ended with ${code}`)));
      this.#init.stdout?.once('data', () => done());
    });
    const { pid } = this.#init;
    this.#pid = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  /** Words in front of a command that runs there. */
  enter(): string[] {
    return ['nsenter', '--target', String(this.#pid), '--mount', '--pid', '--net', '--cgroup', '--wdns=/'];
  }

  /** Runs a command there as root, with the environment of a fresh login. */
  run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Done {
    // Without a terminal, even where the tests have one: nobody could answer a question.
    const [program = '', ...args] = [...this.enter(), 'setsid', '--wait', ...argv];
    const { status, stdout, stderr } = spawnSync(program, args, {
      env: { PATH, HOME: '/root', LANG: 'C.UTF-8', ...env },
      encoding: 'utf8',
      timeout: 900_000,
    });
    return { code: status, stdout, stderr };
  }

  bootstrap(...args: string[]): Done {
    return this.run(['bash', THERE, ...args]);
  }

  /** A shell command there; its output. */
  sh(script: string): string {
    const { code, stdout, stderr } = this.run(['sh', '-c', script]);
    if (code !== 0) throw new Error(`${script}: ${code}: ${stderr}`);
    return stdout;
  }

  /** Everything that was written there, as far as it lasts: path, mode, owner and content of each file. */
  written(): string[] {
    const upper = `/proc/${this.#pid}/root/tmp/upper`;
    const walk = (dir: string): string[] =>
      readdirSync(join(upper, dir)).flatMap((name) => {
        const path = `${dir}/${name}`;
        const stat = lstatSync(join(upper, path));
        if (stat.isDirectory()) return walk(path);
        const content = stat.isSymbolicLink()
          ? readlinkSync(join(upper, path))
          : stat.isFile()
            ? createHash('sha256')
                .update(readFileSync(join(upper, path)))
                .digest('hex')
                .slice(0, 16)
            : 'special';
        return [`${path} ${(stat.mode & 0o7777).toString(8)} ${stat.uid} ${content}`];
      });
    return walk('').sort();
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#init.once('exit', done));
    if (this.#init.exitCode === null && this.#init.signalCode === null) {
      this.#init.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Why this machine cannot be the one; null when it can. What bootstrap.sh would fetch must be here already. */
export function noMachine(): string | null {
  const without = noNamespaces();
  if (without !== null) return without;
  if (!existsSync('/usr/bin/dpkg-query')) return 'this is no Debian or Ubuntu';
  const installed = spawnSync('dpkg-query', ['-W', '-f=${Package} ', ...PACKAGES], { encoding: 'utf8' });
  if (installed.status !== 0) return `packages are missing here: ${installed.stderr.trim()}`;
  if (!['/usr/local/bin', '/usr/bin'].some((dir) => isProgram(`${dir}/node`) && existsSync(`${dir}/npm`)))
    return 'there is no Node.js that every account here can use';
  return null;
}

/** Why there can be no such machine at all; null when there can. */
export function noNamespaces(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can make the machine';
  const probe =
    'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w $d/m && mount -t overlay overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/m';
  const made = spawnSync('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', probe]);
  return made.status === 0 ? null : 'namespaces or overlays are not allowed here';
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
