/** `dispatch nodes bootstrap` over a real sshd that runs on a machine of its own, from bare account to finished task. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Machine, noMachine, SCRIPT } from '../bootstrap/machine.ts';
import { freePort, Sshd } from '../cluster/sshd.ts';
import { dispatch, makeHome, scratch } from './dispatch.ts';

const WITHOUT = noMachine();
if (WITHOUT !== null) process.stderr.write(`SKIPPED test/cli/nodes-bootstrap.test.ts: ${WITHOUT}\n`);

const ASKED = ['--name', 'vm1', '--slots', '2', '--mode', 'shell', '--keep-node'];
const NODES = '// my machines\n[\n  { "name": "mac2", "local": true, "slots": 4 }, // the old one\n]\n';
const KEY = 'sk-a-key-of-glm';

describe.skipIf(WITHOUT !== null)('nodes bootstrap', () => {
  test('shows the host key and sends nothing before somebody has agreed to it', async () => {
    const { machine, bootstrap } = await freshMachine();
    const home = makeHome({ 'nodes.json': NODES });
    const before = machine.written();
    const { code, stderr } = await bootstrap(home, ...ASKED);
    expect(code).toBe(2);
    expect(stderr).toMatch(/SHA256:\S{43} {2}ssh-ed25519/u);
    expect(stderr).toContain('error[E_NEEDS_TERMINAL]');
    expect(machine.written()).toEqual(before);
  });

  test('--dry-run and --check change nothing, here or there', async () => {
    const { machine, bootstrap } = await freshMachine();
    const home = makeHome({ 'nodes.json': NODES });
    const before = machine.written();
    const dry = await bootstrap(home, ...ASKED, '--dry-run', '--yes');
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stderr).toMatch(/would +account dispatch/u);
    const check = await bootstrap(home, ...ASKED, '--check');
    expect(check.code, check.stderr).toBe(3);
    expect(check.stderr).toMatch(/drift +account dispatch/u);
    expect(machine.written()).toEqual(before);
    expect(readFileSync(join(home, 'nodes.json'), 'utf8')).toBe(NODES);
  });

  test('makes the machine a node, adds it as its worker account with comments kept, and it runs a task', async () => {
    const { machine, sshd, bootstrap } = await freshMachine();
    const keyFile = join(scratch(), 'glm.key');
    writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 });
    const home = makeHome({
      'nodes.json': NODES,
      'specs/chores/project.yaml':
        'executors:\n  who: { command: ["sh", "-c", "id -un; cat /proc/self/oom_score_adj"] }\n',
      'specs/chores/A.md':
        '---\ntask_id: A\nexecutor: who\n---\n## Goal\nSay who.\n\n## Acceptance\n- It ran.\n',
    });
    const made = await bootstrap(home, ...ASKED, '--key', `glm=${keyFile}`, '--yes');
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/^added vm1 with 2 slots: linux\//u);
    expect(made.stderr).toMatch(/change +account dispatch/u);
    const nodes = readFileSync(join(home, 'nodes.json'), 'utf8');
    expect(nodes.startsWith(NODES.slice(0, -2))).toBe(true);
    const { stdout } = await dispatch(['nodes', 'list', '-o', 'json'], { cwd: home });
    expect(JSON.parse(stdout).data[1]).toMatchObject({
      name: 'vm1',
      slots: 2,
      mode: ['shell'],
      reach: { by: 'ssh', target: 'dispatch@vm', configFile: sshd.configFile },
    });
    expect(machine.sh('cat /home/dispatch/agent-worker/secrets/glm').trim()).toBe(KEY);
    expect(machine.sh('ls -d /tmp/dispatch-run.* /tmp/dispatch-bootstrap.* 2>/dev/null || echo none')).toBe(
      'none\n',
    );

    // Only the new node takes `who` here.
    writeFileSync(
      join(home, 'nodes.json'),
      nodes.replace('"slots": 4', '"slots": 4, "mode": ["nothing"]').replace('"shell"', '"shell", "who"'),
    );
    const started = await dispatch(['start', 'chores'], { cwd: home });
    expect(started.code, started.stderr).toBe(0);
    const logs = await dispatch(['logs', 'A'], { cwd: home });
    expect(logs.stdout).toContain('dispatch\n400');

    // It knows its name and the rest by now.
    expect((await bootstrap(home, '--check')).code).toBe(0);
    const again = await bootstrap(home);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('nothing was changed');
    expect(again.stderr).toContain('vm1 is in nodes.json already');
    expect(JSON.parse(again.stdout)).toMatchObject({ kind: 'NodeInfo', name: 'vm1' });
  });

  test('what it prints is what nodes add --from takes, by file and by pipe', async () => {
    const { sshd, bootstrap } = await freshMachine();
    const printed = await bootstrap(makeHome(), ...ASKED, '--no-add', '--yes');
    expect(printed.code, printed.stderr).toBe(0);
    const info = JSON.parse(printed.stdout) as { hostKeys: { type: string; fingerprint: string }[] };
    // This sshd has keys of its own, besides those of the machine that the file tells.
    const own = execFileSync('ssh-keygen', ['-lf', join(sshd.dir, 'host_ed25519.pub')], { encoding: 'utf8' });
    info.hostKeys.push({ type: 'ssh-ed25519', fingerprint: own.split(' ')[1] ?? '' });
    const home = makeHome({ 'nodes.json': NODES });
    const file = join(home, 'node-info.json');
    writeFileSync(file, JSON.stringify(info));
    const flags = ['--target', 'dispatch@vm', '--ssh-config', sshd.configFile];
    writeFileSync(sshd.knownHosts, '');
    const added = await dispatch(['nodes', 'add', '--from', file, ...flags], { cwd: home });
    expect(added.code, added.stderr).toBe(0);
    expect(added.stdout).toMatch(/^added vm1 with 2 slots/u);
    expect(readFileSync(join(home, 'nodes.json'), 'utf8')).toContain('// the old one');
    const piped = await dispatch(['nodes', 'add', 'other', '--slots', '1', '--from', '-', ...flags], {
      cwd: home,
      stdin: JSON.stringify(info),
    });
    expect(piped.code, piped.stderr).toBe(0);
    const { stdout } = await dispatch(['nodes', 'list', '-o', 'json'], { cwd: home });
    expect(
      JSON.parse(stdout).data.map(({ name, slots }: { name: string; slots: number }) => [name, slots]),
    ).toEqual([
      ['mac2', 4],
      ['vm1', 2],
      ['other', 1],
    ]);
  });

  test('says in the words of the script why it stopped', async () => {
    const { machine, sshd, bootstrap } = await freshMachine();
    await sshd.trust();
    const home = makeHome();
    // The file of the settings cannot be made.
    machine.sh('mkdir /etc/dispatch-node.conf');
    const usage = await bootstrap(home, ...ASKED.slice(0, 2), '--slots', 'many');
    expect(usage.code).toBe(2);
    expect(usage.stderr).toContain("--slots takes a number from 1 to 1024, not 'many'");
    const failed = await bootstrap(home, ...ASKED, '--slots', '7');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('stopped in: settings');
    expect(failed.stderr).toContain('error[E_BOOTSTRAP]');
  });

  test('refuses another host key than before', async () => {
    const { machine, sshd, bootstrap } = await freshMachine();
    await sshd.trust();
    await sshd.replaceHostKey();
    const before = machine.written();
    const { code, stderr } = await bootstrap(makeHome(), ...ASKED, '--yes');
    expect(code).toBe(4);
    expect(stderr).toContain('error[E_HOST_KEY_CHANGED]');
    expect(machine.written()).toEqual(before);
  });
});

describe('nodes bootstrap and nodes add', () => {
  test('--script prints the script as it is, with its checksum beside it', async () => {
    const { code, stdout, stderr } = await dispatch(['nodes', 'bootstrap', '--script']);
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(SCRIPT, 'utf8'));
    expect(stderr).toContain(createHash('sha256').update(stdout).digest('hex'));
  });

  test.each([
    [['nodes', 'bootstrap'], 'E_USAGE'],
    [['nodes', 'bootstrap', '-oProxyCommand=touch /tmp/pwned'], 'E_USAGE'],
    [['nodes', 'bootstrap', 'a b', '--yes'], 'E_NODES_TARGET'],
    [['nodes', 'bootstrap', 'vm', '--key', 'glm=/nonexistent/key'], 'E_USAGE'],
    [['nodes', 'add'], 'E_USAGE'],
    [['nodes', 'add', '--from', '/nonexistent/info'], 'E_NODE_INFO'],
  ])('refuses %j', async (args, error) => {
    const { code, stderr } = await dispatch(args, { cwd: makeHome() });
    expect(code).not.toBe(0);
    expect(stderr).toContain(`error[${error}`);
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['no JSON', 'node-3', 'it is not JSON'],
    ['another version', '{"kind":"NodeInfo","version":2}', 'version'],
    ['a name with a path', infoText({ name: '../x' }), 'is not a name for a node'],
    ['an account that ssh would read as an option', infoText({ user: '-oX' }), 'user'],
  ])('nodes add --from refuses %s', async (_what, stdin, why) => {
    const { code, stderr } = await dispatch(['nodes', 'add', '--from', '-'], { cwd: makeHome(), stdin });
    expect(code).toBe(2);
    expect(stderr).toContain('error[E_NODE_INFO]');
    expect(stderr).toContain(why);
  });
});

function infoText(changes: object): string {
  const info = {
    kind: 'NodeInfo',
    version: 1,
    name: 'n',
    slots: 1,
    mode: 'hybrid',
    user: 'dispatch',
    root: '~/agent-worker',
    address: '10.0.0.5',
    port: 22,
    hostKeys: [],
  };
  return JSON.stringify({ ...info, ...changes });
}

/** A machine with an sshd of its own that nobody knows yet, and the command that goes there. */
async function freshMachine() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-sshd-')));
  chmodSync(dir, 0o755);
  const machine = new Machine({ shared: [dir] });
  onTestFinished(() => machine.stop());
  const sshd = new Sshd(dir, await freePort(), {
    alias: 'vm',
    trusted: false,
    home: '/root',
    config: ['Match User dispatch', 'SetEnv HOME=/home/dispatch', 'AuthorizedKeysFile .ssh/authorized_keys'],
    launcher: () => machine.enter(),
  });
  onTestFinished(() => sshd.stop());
  await sshd.prepare();
  await machine.ready();
  machine.sh(`mkdir -p -m 700 /root/.ssh && cp ${dir}/user_key.pub /root/.ssh/authorized_keys`);
  await sshd.start();
  const bootstrap = (home: string, ...flags: string[]) =>
    dispatch(['nodes', 'bootstrap', 'vm', '--ssh-config', sshd.configFile, ...flags], { cwd: home });
  return { machine, sshd, bootstrap };
}
