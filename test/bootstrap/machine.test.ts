/** bootstrap.sh as root on a machine, for real but for Node.js (the one that is here) and agents (debian.test.ts has those). */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Machine, noMachine } from './machine.ts';

const WITHOUT = noMachine();
if (WITHOUT !== null) process.stderr.write(`SKIPPED test/bootstrap/machine.test.ts: ${WITHOUT}\n`);

const ASKED = ['--name', 'node-3', '--slots', '8', '--mode', 'shell,mine', '--keep-node'];
const KEY = 'sk-a-key-of-glm';

const UNIT = '/etc/systemd/system/dispatch-tmux.service';
const WORKER = '/home/dispatch';

describe.skipIf(WITHOUT !== null)('on a fresh machine', () => {
  test('--check and --dry-run say what is to do, and change nothing', async () => {
    const machine = await freshMachine();
    const before = machine.written();
    const check = machine.bootstrap('--check', ...ASKED);
    expect(check.code).toBe(3);
    expect(check.stdout).toBe('');
    expect(check.stderr).toMatch(/drift +account dispatch: there is no account dispatch/u);
    expect(check.stderr).toMatch(/drift +tmux service/u);
    const dry = machine.bootstrap('--dry-run', ...ASKED);
    expect(dry.code).toBe(0);
    expect(dry.stderr).toMatch(/would +account dispatch/u);
    expect(machine.written()).toEqual(before);
  });

  test('without a name it asks for one before it changes anything', async () => {
    const machine = await freshMachine();
    const before = machine.written();
    const { code, stderr } = machine.bootstrap();
    expect(code).toBe(2);
    expect(stderr).toContain('--name is missing');
    expect(machine.written()).toEqual(before);
  });

  test('a first run makes an account, its login, Node.js, directories, a key and the tmux service', async () => {
    const machine = await freshMachine();
    const done = machine.bootstrap(...ASKED, '--key', 'glm=/root/glm.key');
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      kind: 'NodeInfo',
      name: 'node-3',
      slots: 8,
      mode: ['shell', 'mine'],
      user: 'dispatch',
      versions: { node: expect.stringMatching(/^v\d+\./u), tmux: expect.stringMatching(/^3\./u) },
    });
    expect(done.stderr).toMatch(
      /dispatch nodes add node-3 --target dispatch@\S+ --slots 8 --mode shell,mine/u,
    );
    expect(machine.sh(`cat ${WORKER}/agent-worker/node-info.json`)).toBe(done.stdout);
    expect(machine.sh('id -u dispatch').trim()).not.toBe('0');
    expect(
      machine.sh(`stat -c '%U %a' ${WORKER}/agent-worker/secrets ${WORKER}/agent-worker/secrets/glm`),
    ).toBe('dispatch 700\ndispatch 600\n');
    expect(machine.sh(`cat ${WORKER}/agent-worker/secrets/glm`).trim()).toBe(KEY);
    expect(machine.sh(`cat ${WORKER}/.ssh/authorized_keys`)).toBe('ssh-ed25519 AAAAtest controller\n');
    // Not locked: an sshd without PAM refuses a locked account even with the right key.
    expect(machine.sh('getent shadow dispatch')).toMatch(/^dispatch:\*:/u);
    expect(machine.sh(`runuser -u dispatch -- ${WORKER}/.dispatch/node/bin/npm --version`)).toMatch(
      /^\d+\./u,
    );
  });

  test('the service keeps one process that runs out of memory from ending the others, and systemd takes it', async ({
    skip,
  }) => {
    const machine = await bootstrapped();
    const unit = machine.sh(`cat ${UNIT}`);
    for (const line of ['User=dispatch', 'OOMPolicy=continue', 'OOMScoreAdjust=-500', 'KillMode=process'])
      expect(unit).toContain(`${line}\n`);
    skip(machine.run(['sh', '-c', 'command -v systemd-analyze']).code !== 0, 'there is no systemd here');
    expect(machine.run(['systemd-analyze', 'verify', UNIT])).toMatchObject({ code: 0, stderr: '' });
    expect(machine.sh('ls /etc/systemd/system/multi-user.target.wants /var/lib/systemd/linger')).toMatch(
      /dispatch-tmux\.service[^]*dispatch\n/u,
    );
    // What the unit starts, as its account: it stays without a session.
    const [, start = ''] = /^ExecStart=(.*)$/mu.exec(unit) ?? [];
    machine.sh(
      `runuser -u dispatch -- ${start} >/dev/null 2>&1 & until test -S ${WORKER}/agent-worker/run/tmux.sock; do :; done`,
    );
    expect(
      machine.sh(`runuser -u dispatch -- tmux -S ${WORKER}/agent-worker/run/tmux.sock show -sv exit-empty`),
    ).toBe('off\n');
  });

  test('a second run changes nothing and says so; --check agrees', async () => {
    const machine = await bootstrapped();
    const before = machine.written();
    const again = machine.bootstrap();
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('nothing was changed');
    expect(JSON.parse(again.stdout)).toMatchObject({ name: 'node-3', slots: 8 });
    expect(machine.bootstrap('--key', 'glm=/root/glm.key').stderr).toContain('nothing was changed');
    const check = machine.bootstrap('--check');
    expect(check.code, check.stderr).toBe(0);
    expect(check.stderr).toContain('nothing to do');
    expect(machine.written()).toEqual(before);
  });

  test('--check lists exactly what has drifted, and the next run mends it', async () => {
    const machine = await bootstrapped();
    const before = machine.written();
    machine.sh(
      `rm ${WORKER}/.dispatch/node/bin/npm && chmod 644 ${WORKER}/agent-worker/secrets/glm && echo '# x' >>${UNIT}`,
    );
    const check = machine.bootstrap('--check');
    expect(check.code).toBe(3);
    expect(check.stderr.match(/^ +drift .*$/gmu)).toEqual([
      expect.stringContaining('Node.js: npm is not installed'),
      expect.stringContaining('keys are private'),
      expect.stringContaining('tmux service: dispatch-tmux.service is not installed, or another version'),
    ]);
    const mended = machine.bootstrap();
    expect(mended.code, mended.stderr).toBe(0);
    expect(mended.stderr.match(/^ +change /gmu)).toHaveLength(3);
    expect(machine.written()).toEqual(before);
  });

  test('what an agent left in the place of a directory leads root nowhere', async () => {
    const machine = await bootstrapped();
    machine.sh(`cd ${WORKER} && mv agent-worker real && ln -s /etc agent-worker`);
    const { code } = machine.bootstrap('--key', 'glm=/root/glm.key');
    expect(code).toBe(1);
    expect(machine.sh('ls -d /etc/secrets /etc/run /etc/node-info.json 2>/dev/null || echo none')).toBe(
      'none\n',
    );
    machine.sh(`cd ${WORKER} && rm agent-worker && mv real agent-worker`);
  });

  test('who may log in stays as it is, whoever runs it; --authorize adds', async () => {
    const machine = await bootstrapped();
    machine.sh('echo "ssh-ed25519 AAAAother somebody" >/root/.ssh/authorized_keys');
    expect(machine.bootstrap().stderr).toContain('nothing was changed');
    machine.sh('echo "ssh-ed25519 AAAAlaptop laptop" >/root/laptop.pub');
    expect(machine.bootstrap('--authorize', '/root/laptop.pub').code).toBe(0);
    expect(machine.sh(`cat ${WORKER}/.ssh/authorized_keys`)).toBe(
      'ssh-ed25519 AAAAtest controller\nssh-ed25519 AAAAlaptop laptop\n',
    );
  });

  test('one that is stopped while it waits leaves the other alone', async () => {
    const machine = await bootstrapped();
    machine.sh('mkdir -p /run/dispatch-bootstrap.lock && echo 1 >/run/dispatch-bootstrap.lock/pid');
    machine.sh(
      'bash /tmp/bootstrap.sh 2>/tmp/waits >/dev/null & until grep -q "waiting for it" /tmp/waits; do sleep 0.1; done; kill $!; wait $!; test $? = 143 && test -e /run/dispatch-bootstrap.lock',
    );
    machine.sh('rm -r /run/dispatch-bootstrap.lock');
  });

  test('two at once: the second waits for the first, and finds nothing to do', async () => {
    const machine = await bootstrapped();
    machine.sh(`rm ${WORKER}/.dispatch/node/bin/npm`);
    const both = machine.run([
      'bash',
      '-c',
      'bash /tmp/bootstrap.sh 2>/tmp/one >/dev/null & bash /tmp/bootstrap.sh 2>/tmp/two >/dev/null; first=$?; wait $! && exit $first',
    ]);
    expect(both.code).toBe(0);
    expect(machine.sh('cat /tmp/one /tmp/two').match(/^ +change /gmu)).toHaveLength(1);
  });

  test('it goes on to its end when nobody listens any more', async () => {
    const machine = await bootstrapped();
    machine.sh(`rm ${WORKER}/.dispatch/node/bin/npm && echo '# x' >>${UNIT}`);
    machine.sh(
      'bash /tmp/bootstrap.sh 2>&1 | head -n 1; while test -e /run/dispatch-bootstrap.lock; do sleep 0.1; done',
    );
    expect(machine.bootstrap('--check').code).toBe(0);
  });

  test('a key is read from a file only, and what was typed in its place is not repeated', async () => {
    const machine = await bootstrapped();
    for (const given of [`glm=${KEY}`, `${KEY.toUpperCase()}`]) {
      const { code, stderr } = machine.bootstrap('--key', given);
      expect(code).toBe(2);
      expect(stderr.toUpperCase()).not.toContain(KEY.toUpperCase());
    }
    const asked = machine.bootstrap('--key', 'minimax');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('--key minimax=FILE');
  });

  test('--tune-sshd is taken back when sshd does not accept it, and left alone without the flag', async () => {
    const machine = await bootstrapped();
    expect(machine.bootstrap('--check').stderr).not.toContain('sshd');
    machine.sh('cp /etc/ssh/sshd_config /root/kept && echo "NoSuchThing yes" >>/etc/ssh/sshd_config');
    const refused = machine.bootstrap('--tune-sshd');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('taken back');
    expect(machine.sh('ls /etc/ssh/sshd_config.d')).not.toContain('dispatch');
    machine.sh('cp /root/kept /etc/ssh/sshd_config && ssh-keygen -A');
    const tuned = machine.bootstrap('--tune-sshd');
    expect(tuned.code, tuned.stderr).toBe(0);
    expect(machine.sh('/usr/sbin/sshd -T | grep -i maxsessions')).toBe('maxsessions 64\n');
    expect(machine.bootstrap('--check').stderr).toMatch(/ok +limits of sshd/u);
  });

  test('--uninstall refuses while agents run, then takes everything back but the account and its work', async () => {
    const machine = await bootstrapped();
    const tmux = `runuser -u dispatch -- tmux -S ${WORKER}/agent-worker/run/tmux.sock`;
    machine.sh(`${tmux} new-session -d -s d_1 sleep 300`);
    const busy = machine.bootstrap('--uninstall');
    expect(busy.code).toBe(1);
    expect(busy.stderr).toContain('agents run here (tmux sessions: 1)');
    machine.sh(`${tmux} kill-server`);
    const gone = machine.bootstrap('--uninstall');
    expect(gone.code, gone.stderr).toBe(0);
    expect(gone.stderr).toContain('kept: packages, the account dispatch and its work');
    expect(
      machine
        .written()
        .filter(
          (line) =>
            !/^\/(?:root|home\/dispatch\/(?:agent-worker|\.ssh|\.bash|\.profile)|etc\/(?:ssh\/sshd_config|\.pwd\.lock|passwd|shadow|group|gshadow|subuid|subgid)-? )|^\/var\/log\//u.test(
              line,
            ),
        ),
    ).toEqual([]);
    expect(machine.sh(`cat ${WORKER}/agent-worker/secrets/glm`).trim()).toBe(KEY);
    expect(machine.bootstrap('--uninstall').stderr).toContain('nothing was changed');
  });

  test('--uninstall --purge removes the account that was made here, and never another one', async () => {
    const machine = await freshMachine();
    machine.sh('useradd --create-home mine');
    expect(machine.bootstrap(...ASKED, '--user', 'mine').code).toBe(0);
    expect(machine.bootstrap('--uninstall', '--purge').code).toBe(0);
    expect(machine.sh('id -un mine; ls /home/mine')).toBe('mine\n');
    expect(machine.bootstrap(...ASKED, '--user', 'other').code).toBe(0);
    const purged = machine.bootstrap('--uninstall', '--purge');
    expect(purged.code, purged.stderr).toBe(0);
    expect(machine.run(['id', 'other']).code).toBe(1);
    expect(machine.sh('ls /home')).not.toContain('other');
  });
});

async function freshMachine(): Promise<Machine> {
  const machine = new Machine();
  onTestFinished(() => machine.stop());
  await machine.ready();
  machine.sh(
    'mkdir -p -m 700 /root/.ssh && echo "ssh-ed25519 AAAAtest controller" >/root/.ssh/authorized_keys',
  );
  machine.sh(`umask 077 && echo ${KEY} >/root/glm.key`);
  return machine;
}

async function bootstrapped(): Promise<Machine> {
  const machine = await freshMachine();
  const { code, stderr } = machine.bootstrap(...ASKED, '--key', 'glm=/root/glm.key');
  expect(code, stderr).toBe(0);
  return machine;
}
