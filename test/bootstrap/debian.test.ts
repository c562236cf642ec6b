/**
 * bootstrap.sh in a Debian 12 that has never been used: system packages, the pinned Node.js and agents, for real. Takes
 * minutes and the network, so it runs with `make test-bootstrap` only. What was fetched stays in the user's cache, and
 * the last test installs all of it a second time without any network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Machine, type MachineOptions, noNamespaces } from './machine.ts';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dispatch-test');
/** bootstrap.sh keeps its own downloads here, which the machine has at another place: one that its worker can get to. */
const DOWNLOADS = join(CACHE, 'bootstrap');
const THERE = '/var/cache/bootstrap';
const MIRROR = 'http://deb.debian.org/debian';
const ASKED = ['--name', 'deb', '--slots', '4', '--mode', 'glm,gemini', '--cache', THERE];
const LONG = { timeout: 1_200_000 };
const WORKER = '/home/dispatch';

/** debootstrap as it is installed, or from its package without installing it. */
const DEBOOTSTRAP = `set -e
cd "$1"
if ! command -v debootstrap >/dev/null; then
apt-get download debootstrap >&2
dpkg -x debootstrap_*.deb unpacked
export DEBOOTSTRAP_DIR="$1/unpacked/usr/share/debootstrap" PATH="$1/unpacked/usr/sbin:$PATH"
fi
debootstrap --variant=minbase --include=systemd bookworm "$1/root" "$2" >&2`;

const WITHOUT =
  process.env.DISPATCH_TEST_BOOTSTRAP === '1'
    ? (noNamespaces() ?? debian())
    : 'run it with make test-bootstrap';
if (WITHOUT !== null) process.stderr.write(`SKIPPED test/bootstrap/debian.test.ts: ${WITHOUT}\n`);

let machine: Machine | null = null;
afterEach(() => machine?.stop());

async function fresh(options: MachineOptions = {}): Promise<Machine> {
  mkdirSync(DOWNLOADS, { recursive: true });
  machine = new Machine({ root: join(CACHE, 'bookworm'), shared: [`${DOWNLOADS}:${THERE}`], ...options });
  await machine.ready();
  machine.sh(
    'mkdir -p -m 700 /root/.ssh && echo "ssh-ed25519 AAAAtest controller" >/root/.ssh/authorized_keys',
  );
  return machine;
}

const asWorker = (on: Machine, script: string): string =>
  on.sh(
    `runuser -u dispatch -- env -i HOME=${WORKER} PATH=${WORKER}/.dispatch/node/bin:/usr/bin:/bin sh -c '${script}'`,
  );

test.skipIf(WITHOUT !== null)(
  'a fresh Debian 12 becomes a node, and a second run changes nothing',
  LONG,
  async () => {
    const on = await fresh();
    expect(on.run(['sh', '-c', 'command -v git || command -v tmux || command -v curl']).code).toBe(127);
    const made = on.bootstrap(...ASKED, '--tune-sshd');
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({
      system: expect.stringContaining('bookworm'),
      versions: {
        node: expect.stringMatching(/^v24\./u),
        claude: expect.any(String),
        gemini: expect.any(String),
      },
      hostKeys: expect.arrayContaining([
        { type: 'ssh-ed25519', fingerprint: expect.stringMatching(/^SHA256:/u) },
      ]),
    });
    expect(made.stderr).toContain('executor glm has no key yet');
    expect(
      asWorker(on, 'node --version; claude --version; gemini --version; npm --version').split('\n'),
    ).toEqual([
      expect.stringMatching(/^v24\./u),
      expect.stringContaining('Claude Code'),
      expect.stringMatching(/^\d+\.\d+/u),
      expect.stringMatching(/^11\./u),
      '',
    ]);
    expect(
      asWorker(on, 'tmux -V; git --version; bwrap --version; python3 --version').split('\n'),
    ).toHaveLength(5);
    expect(on.sh('systemctl is-enabled dispatch-tmux.service')).toBe('enabled\n');
    expect(on.sh('/usr/sbin/sshd -T | grep maxsessions')).toBe('maxsessions 64\n');
    const before = on.written();
    const again = on.bootstrap();
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('nothing was changed');
    expect(on.bootstrap('--check').code).toBe(0);
    expect(on.written()).toEqual(before);
  },
);

test.skipIf(WITHOUT !== null)(
  'another one becomes a node without any network, from what the first one fetched',
  LONG,
  async () => {
    const on = await fresh({ network: false });
    const made = on.bootstrap(...ASKED, '--offline');
    expect(made.code, made.stderr).toBe(0);
    expect(asWorker(on, 'node --version; claude --version')).toMatch(/^v24\.[^]*Claude Code/u);
    expect(on.bootstrap('--check').code).toBe(0);
  },
);

test.skipIf(WITHOUT !== null)(
  'without network and cache it says what is missing, and leaves nothing half done',
  LONG,
  async () => {
    const on = await fresh({ network: false });
    const refused = on.bootstrap('--name', 'deb', '--mode', 'shell', '--offline');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('no packages in --cache DIR');
    expect(on.run(['id', 'dispatch']).code).toBe(1);
  },
);

/** Makes the system with debootstrap, unless an earlier run has. Why there can be none; null when it is there. */
function debian(): string | null {
  const root = join(CACHE, 'bookworm');
  if (existsSync(root)) return null;
  const making = `${root}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  const made = spawnSync('bash', ['-c', DEBOOTSTRAP, 'debian', making, MIRROR], { encoding: 'utf8' });
  if (made.status === 0) renameSync(join(making, 'root'), root);
  rmSync(making, { recursive: true, force: true });
  return made.status === 0
    ? null
    : `debootstrap cannot be had: ${(made.stderr || made.stdout).trim().slice(-300)}`;
}
