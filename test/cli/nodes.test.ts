import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sshd, startSshd } from '../cluster/sshd.ts';
import { added, claim, NODE, SET_UP } from '../model/builder.ts';
import { dispatch, makeHome, record } from './dispatch.ts';
import { localNodes, workerRoot } from './fleet.ts';

describe('nodes add', () => {
  let sshd: Sshd;
  beforeEach(async () => {
    sshd = await startSshd({ alias: 'box', trusted: false });
  });
  afterEach(() => sshd.stop());

  const addBox = (home: string, ...flags: string[]) =>
    dispatch(['nodes', 'add', 'box', '--ssh-config', sshd.configFile, ...flags], { cwd: home });

  test('shows the fingerprint, and without anybody to ask it adds nothing', async () => {
    const home = makeHome();
    const before = readFileSync(join(home, 'nodes.json'), 'utf8');
    const { code, stdout, stderr } = await addBox(home);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/SHA256:\S{43} {2}ssh-ed25519/u);
    expect(stderr).toContain('error[E_NEEDS_TERMINAL]');
    expect(stderr).toContain('--fingerprint SHA256:');
    expect(readFileSync(join(home, 'nodes.json'), 'utf8')).toBe(before);
    expect(readFileSync(sshd.knownHosts, 'utf8')).toBe('');
  });

  test('refuses another key than the one that was named', async () => {
    const home = makeHome();
    const { code, stderr } = await addBox(home, '--fingerprint', `SHA256:${'A'.repeat(43)}`);
    expect(code).toBe(4);
    expect(stderr).toContain('error[E_FINGERPRINT]');
    expect(readFileSync(sshd.knownHosts, 'utf8')).toBe('');
  });

  test('records the named key, probes the machine and keeps the comments of nodes.json', async () => {
    const home = makeHome({
      'nodes.json': '// my machines\n[\n  { "name": "mac2", "local": true, "slots": 4 } // the old one\n]\n',
    });
    const shown = (await addBox(home)).stderr;
    const fingerprint = /SHA256:\S{43}/u.exec(shown)?.[0] ?? '';
    const added = await addBox(
      home,
      '--fingerprint',
      fingerprint,
      '--root',
      workerRoot(),
      '--label',
      'linux',
      'big',
    );
    expect(added.code, added.stderr).toBe(0);
    expect(added.stdout).toMatch(/^added box with \d+ slots: linux\/.* cores/u);
    expect(readFileSync(sshd.knownHosts, 'utf8')).toContain('ssh-ed25519');
    const text = readFileSync(join(home, 'nodes.json'), 'utf8');
    expect(text).toContain('// my machines');
    expect(text).toContain('// the old one');
    const { stdout } = await dispatch(['nodes', 'list', '-o', 'json'], { cwd: home });
    expect(JSON.parse(stdout).data[1]).toMatchObject({
      name: 'box',
      labels: ['linux', 'big'],
      reach: { by: 'ssh', target: 'box', configFile: sshd.configFile },
    });

    const again = await addBox(home, '--yes');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('E_NODES_DUPLICATE');

    const probed = await dispatch(['nodes', 'probe', 'box', '-o', 'json'], { cwd: home });
    expect(JSON.parse(probed.stdout).data[0]).toMatchObject({ name: 'box', ok: true, platform: 'linux' });

    const doctor = await dispatch(['doctor', '--node', 'box', '-o', 'json'], { cwd: home });
    expect(doctor.code).toBe(0);
    const ids = (JSON.parse(doctor.stdout).data as { id: string; state: string }[]).map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['node.box.reach', 'node.box.tmux', 'node.box.git', 'node.box.clock']),
    );
  });

  test('refuses a host key that changed, names the line and the command that mends it', async () => {
    const home = makeHome();
    await sshd.trust();
    await sshd.replaceHostKey();
    const { code, stderr } = await addBox(home, '--yes');
    expect(code).toBe(4);
    expect(stderr).toContain('error[E_HOST_KEY_CHANGED]');
    expect(stderr).toContain('ssh-keygen -R');
    const doctor = await dispatch(['doctor', '--node', 'mac2', '-o', 'json'], {
      cwd: makeHome({
        'nodes.json': JSON.stringify([{ name: 'mac2', ssh_target: 'box', ssh_config: sshd.configFile }]),
      }),
    });
    expect(doctor.code).toBe(3);
    expect(JSON.parse(doctor.stdout).data[0]).toMatchObject({
      id: 'node.mac2.reach',
      state: 'fail',
      fix: expect.stringContaining('ssh-keygen -R'),
    });
  });

  test('says that a machine cannot be reached', async () => {
    const home = makeHome();
    await sshd.halt();
    const { code, stderr } = await addBox(home, '--yes');
    expect(code).toBe(7);
    expect(stderr).toContain('error[E_NODE_UNREACHABLE]');
  });
});

describe('nodes', () => {
  test('add takes this machine, with half its cores by default', async () => {
    const home = makeHome({ 'nodes.json': '' });
    const { code, stdout, stderr } = await dispatch(
      ['nodes', 'add', 'here', '--local', '--root', workerRoot()],
      {
        cwd: home,
      },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^added here with \d+ slots/u);
    expect((await dispatch(['nodes', 'list', '-o', 'name'], { cwd: home })).stdout).toBe('here\n');
  });

  test.each([
    ['env -i', 'env -i'],
    ['["env", "A=b c"]', 'env A=b c'],
  ])('add takes any command that gives a stream: %s', async (command, shown) => {
    const home = makeHome();
    const flags = ['--root', workerRoot(), '--slots', '3', '--weight', '0.5', '--command', command];
    const added = await dispatch(['nodes', 'add', 'pod', ...flags], { cwd: home });
    expect(added.code, added.stderr).toBe(0);
    const { stdout } = await dispatch(['nodes', 'list', '-o', 'wide'], { cwd: home });
    expect(stdout).toContain(`pod\t0/3\t-\t${shown}\thybrid\t3\t0.5`);
  });

  test.each([
    [['--local', '--target', 'x'], 'one way'],
    [['--slots', 'many'], '--slots takes a whole number'],
    [['--weight', '-1'], '--weight takes a positive number'],
    [['--command', '[1]'], 'neither words nor a JSON list'],
    [['--transport', 'pigeon'], '--transport takes auto, ssh2 or openssh'],
  ])('add refuses %s', async (flags, message) => {
    const { code, stderr } = await dispatch(['nodes', 'add', 'x', ...flags], { cwd: makeHome() });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test.each(['-oProxyCommand=touch /tmp/pwned', 'a b'])('add refuses the ssh target %j', async (target) => {
    const { code, stderr } = await dispatch(['nodes', 'add', 'x', `--target=${target}`, '--yes'], {
      cwd: makeHome(),
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/E_NODES_TARGET|E_SSH_ALIAS/u);
    expect(existsSync('/tmp/pwned')).toBe(false);
  });

  test('remove takes a node out, unless attempts live there', async () => {
    const home = makeHome({
      'nodes.json':
        '[\n  // one\n  { "name": "mac2", "local": true },\n  { "name": "old", "local": true }\n]\n',
    });
    await record(home, ...SET_UP, added('S01'), claim('S01', 1));
    const busy = await dispatch(['nodes', 'remove', NODE], { cwd: home });
    expect(busy.code).toBe(6);
    expect(busy.stderr).toContain('dispatch nodes drain mac2');
    expect((await dispatch(['nodes', 'remove', 'old'], { cwd: home })).stdout).toBe('removed old\n');
    expect(readFileSync(join(home, 'nodes.json'), 'utf8')).toContain('// one');
    expect((await dispatch(['nodes', 'list', '-o', 'name'], { cwd: home })).stdout).toBe('mac2\n');
  });

  test('drain, cordon and uncordon are recorded without a running controller', async () => {
    const home = makeHome({ 'nodes.json': localNodes(workerRoot()) });
    for (const [verb, mark] of [
      ['drain', 'drain'],
      ['cordon', 'cordon'],
      ['uncordon', 'none'],
    ] as const) {
      expect((await dispatch(['nodes', verb, 'here'], { cwd: home })).code).toBe(0);
      const { stdout } = await dispatch(['nodes', 'list', '-o', 'json'], { cwd: home });
      expect(JSON.parse(stdout).data[0].mark).toBe(mark);
    }
  });

  test('a misspelt name gets the nearest', async () => {
    const { code, stderr } = await dispatch(['nodes', 'drain', 'mac'], { cwd: makeHome() });
    expect(code).toBe(5);
    expect(stderr).toContain('did you mean mac2?');
  });

  test('a bad nodes.json is shown with its line', async () => {
    const home = makeHome({ 'nodes.json': '[\n  { "name": "a", "slot": 2, "local": true }\n]\n' });
    const { code, stderr } = await dispatch(['nodes', 'list'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toContain(`where: ${join(home, 'nodes.json')}:2:18`);
    expect(stderr).toContain('slots');
  });
});

describe('doctor', () => {
  test('finds what is wrong in a home, says how to mend it and exits 3', async () => {
    const home = makeHome({
      'nodes.json': JSON.stringify([{ name: 'pod', command: ['false'] }]),
      'specs/app/project.yaml': 'repo: /nonexistent/repo\nverify: make test\n',
      'specs/app/S01.md': 'no front matter\n',
    });
    const { code, stdout } = await dispatch(['doctor', '-o', 'json'], { cwd: home });
    expect(code).toBe(3);
    const { kind, data, meta } = JSON.parse(stdout);
    expect(kind).toBe('CheckList');
    const failed = (data as { id: string; state: string; fix: string | null }[]).filter(
      ({ state }) => state === 'fail',
    );
    expect(failed.map(({ id }) => id)).toEqual(['project.app', 'project.app.repo', 'node.pod.reach']);
    expect(meta.failed).toBe(3);
    for (const { fix } of failed) expect(fix).toBeTruthy();
  });

  test('is plain lines in a pipe', async () => {
    const home = makeHome({ 'nodes.json': localNodes(workerRoot()) });
    const { code, stdout } = await dispatch(['doctor'], { cwd: home });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok\there\.git\t2\./mu);
    expect(stdout).toMatch(/^ok\tnode\.here\.reach\t/mu);
  });
});
