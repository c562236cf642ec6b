/** Programs that are missing or too old, here and on a node: named with the version found and what installs a newer one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Home, makeHome, PROJECT, sshNode } from './home.ts';
import { type Sshd, startSshd } from './sshd.ts';

/** Exit code of a shell for a program that is not there. */
const MISSING = 'exit 127';

/** A directory with these programs, and links to those of this machine. */
function programs(home: Home, stubs: Readonly<Record<string, string>>, links: readonly string[]): string {
  const dir = join(home.base, 'bin');
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  mkdirSync(dir);
  for (const [name, script] of Object.entries(stubs)) stub(join(dir, name), script);
  for (const name of links)
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(dir, name));
  return dir;
}

function stub(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

describe('on the controller', () => {
  test.each([
    ['git is missing', {}, 'E_GIT_MISSING', 'git is not installed, or not on the PATH'],
    ['git is too old', { git: 'echo git version 2.20.1' }, 'E_GIT_TOO_OLD', 'git 2.20.1 is too old'],
  ])(
    '%s: start says so before anything is started; with it the same command works',
    async (_, stubs, code, what) => {
      const home = makeHome({ tasks: { A: {} } });
      const PATH = programs(home, stubs, ['ssh', 'ssh-keygen']);
      const refused = await home.dispatch(['start', PROJECT], { env: { PATH } });
      expect(refused.code).toBe(5);
      expect(refused.stderr).toContain(`error[${code}] ${what}`);
      expect(refused.stderr).toMatch(/fix: install .*apt install git, brew install git/u);
      expect(home.attempts()).toEqual([]);
      const doctor = await home.dispatch(['doctor'], { env: { PATH } });
      expect(doctor.code).not.toBe(0);
      expect(doctor.stdout).toMatch(/git/u);
      expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
    },
  );

  test('ssh is missing: the node that needs it says so, and what installs it', async () => {
    const home = makeHome({
      nodes: [{ name: 'box', ssh_target: 'box.invalid' }],
      tasks: { A: {} },
    });
    const PATH = programs(home, {}, ['git']);
    const { code, stderr } = await home.dispatch(['start', PROJECT], { env: { PATH } });
    expect(code).toBe(7);
    expect(stderr).toContain('box: there is no ssh program here');
    expect(stderr).toContain('apt install openssh-client');
  });

  test('tmux is missing where this machine is the node', async () => {
    const home = makeHome({ tasks: { A: {} } });
    const bin = join(home.base, 'user', '.local', 'bin');
    mkdirSync(bin, { recursive: true });
    stub(join(bin, 'tmux'), MISSING);
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(7);
    expect(stderr).toContain('here has no tmux 3.2 or newer: none was found');
    expect(stderr).toContain('apt install tmux');
    rmSync(join(bin, 'tmux'));
    expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  });
});

describe('on a node', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  test.each([
    ['git is missing', 'git', MISSING, 'box has no git 2.30 or newer: none was found'],
    [
      'git is too old',
      'git',
      'echo git version 2.17.1',
      'box has no git 2.30 or newer: found only git version 2.17.1',
    ],
    ['tmux is missing', 'tmux', MISSING, 'box has no tmux 3.2 or newer: none was found'],
    ['tmux is too old', 'tmux', 'echo tmux 2.9a', 'box has no tmux 3.2 or newer: found only tmux 2.9a'],
  ])('%s: the node is named with what was found and what installs it', async (_, name, script, what) => {
    const home = makeHome({ nodes: [sshNode('box', sshd)], tasks: { A: {} } });
    const bin = join(sshd.home, '.local', 'bin');
    mkdirSync(bin, { recursive: true });
    stub(join(bin, name), script);
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    rmSync(join(bin, name));
    expect(code).toBe(7);
    expect(stderr).toContain(what);
    expect(stderr).toContain(`run bootstrap.sh on box, or install it there (apt install ${name}`);
    expect(home.attempts()).toEqual([]);
    if (name === 'git') expect((await home.dispatch(['start', PROJECT])).code).toBe(0);
  });

  /** A shell in a world where every Node.js of this machine is another program. */
  const inAnotherWorld = (script: string): string[] => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `for node in ${nodes().join(' ')}; do mount --bind ${script} $node || exit 1; done; exec "$@"`,
    'sh',
  ];
  const permitted = spawnSync('unshare', ['-m', 'true']).status === 0;

  test.skipIf(!permitted).each([
    ['missing', null, 'pod has no Node.js 20 or newer: none was found'],
    ['too old', 'echo v18.20.4', 'pod has no Node.js 20 or newer: found only v18.20.4 at /'],
  ])('Node.js is %s (skipped where no mount namespace may be made)', async (_, script, what) => {
    const home = makeHome({ tasks: { A: {} } });
    const file = join(home.base, 'node');
    stub(file, script ?? MISSING);
    if (script === null) chmodSync(file, 0o644);
    home.writeNodes([{ name: 'pod', command: inAnotherWorld(file) }]);
    const { code, stderr } = await home.dispatch(['start', PROJECT]);
    expect(code).toBe(7);
    expect(stderr).toContain(what);
    expect(stderr).toContain('run bootstrap.sh on pod');
  });
});

function nodes(): string[] {
  return spawnSync('which', ['-a', 'node'], { encoding: 'utf8' }).stdout.trim().split('\n');
}
