/** bootstrap.sh on systems that cannot be had here: Ubuntu 24.04 with AppArmor and a running systemd, and macOS. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { macos, ubuntu } from './pretend.ts';

const ASKED = ['--name', 'node-3', '--slots', '8', '--mode', 'shell', '--keep-node'];
const KEY = 'sk-a-key-of-glm';

describe('on Ubuntu 24.04', () => {
  test('packages, account, profile of bubblewrap, lingering and the service; then a second run finds nothing', () => {
    const box = ubuntu();
    const made = box.bootstrap(...ASKED);
    expect(made.code, made.stderr).toBe(0);
    const calls = box.calls();
    expect(calls).toContainEqual(
      expect.stringMatching(/^apt-get .*DPkg::Lock::Timeout.* install .*\bgit tmux bubblewrap python3\b/u),
    );
    expect(calls).toContainEqual(expect.stringMatching(/^useradd --create-home .* --password \* dispatch$/u));
    expect(calls).toContain('loginctl enable-linger dispatch');
    expect(calls).toContain('systemctl enable --now dispatch-tmux.service');
    expect(calls.indexOf('systemctl daemon-reload')).toBeLessThan(
      calls.indexOf('systemctl enable --now dispatch-tmux.service'),
    );
    expect(box.file('etc/apparmor.d/bwrap')).toContain('profile bwrap /usr/bin/bwrap flags=(unconfined)');
    // An upgrade of a library restarts services there, and would end every agent.
    expect(box.file('etc/needrestart/conf.d/dispatch.conf')).toContain('qr(^dispatch-tmux)} = 0;');
    expect(JSON.parse(made.stdout)).toMatchObject({
      name: 'node-3',
      system: 'Ubuntu 24.04.3 LTS',
      address: '10.0.0.5',
    });
    const before = box.calls().length;
    const again = box.bootstrap();
    expect(again.stderr).toContain('nothing was changed');
    expect(
      box
        .calls()
        .slice(before)
        .filter((call) => /^(?:apt-get|useradd|apparmor_parser|systemctl enable)/u.test(call)),
    ).toEqual([]);
    expect(box.bootstrap('--check').code).toBe(0);
  });

  test('a key travels by file and pipe: it is in no argument list of any program', () => {
    const box = ubuntu();
    const file = box.write('glm.key', `${KEY}\n`);
    expect(box.bootstrap(...ASKED, '--key', `glm=${file}`).code).toBe(0);
    const secret = join(box.home, 'agent-worker/secrets/glm');
    expect(readFileSync(secret, 'utf8').trim()).toBe(KEY);
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(box.calls().join('\n')).not.toContain(KEY);
  });

  test('what cannot be fetched stops it in a step that it names, and the next run goes on from there', () => {
    const box = ubuntu();
    const asked = ['--name', 'n', '--mode', 'shell'];
    const failed = box.bootstrap(...asked);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/bootstrap: Node\.js: .*curl.* failed/u);
    expect(failed.stderr).toContain('stopped in: Node.js');
    const next = box.bootstrap(...asked, '--keep-node');
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toMatch(/ok +packages/u);
    expect(box.calls().filter((call) => call.startsWith('useradd'))).toHaveLength(1);
  });

  test('a file that is not the pinned one is refused, and never unpacked', () => {
    const box = ubuntu();
    box.write('state/evil.tgz', 'not what is pinned');
    const out = '${@: -2:1}';
    writeFileSync(join(box.dir, 'bin/curl'), `#!/bin/bash\nprintf evil >"${out}"\n`, { mode: 0o755 });
    for (const name of ['sha512sum'])
      writeFileSync(join(box.dir, 'bin', name), `#!/bin/sh\nexec /usr/bin/${name}\n`, { mode: 0o755 });
    const { code, stderr } = box.bootstrap('--name', 'n', '--mode', 'shell');
    expect(code).toBe(1);
    expect(stderr).toContain('is not the file that is pinned');
    expect(box.calls().filter((call) => call.startsWith('node'))).toEqual([]);
  });

  test('--uninstall takes the service down through systemd and the profile out of the kernel', () => {
    const box = ubuntu();
    expect(box.bootstrap(...ASKED, '--tune-sshd').code).toBe(0);
    const gone = box.bootstrap('--uninstall');
    expect(gone.code, gone.stderr).toBe(0);
    const calls = box.calls();
    expect(calls).toContain('systemctl disable --now dispatch-tmux.service');
    expect(calls).toContainEqual(expect.stringMatching(/^apparmor_parser -R /u));
    for (const file of [
      'etc/systemd/system/dispatch-tmux.service',
      'etc/apparmor.d/bwrap',
      'etc/dispatch-node.conf',
      'etc/ssh/sshd_config.d/10-dispatch.conf',
    ])
      expect(() => box.file(file)).toThrow('ENOENT');
  });
});

describe('on macOS', () => {
  test('Homebrew, a daemon of launchd, the account that runs it; then a second run finds nothing', () => {
    const mac = macos();
    const made = mac.bootstrap('--name', 'mac2', '--mode', 'shell');
    expect(made.code, made.stderr).toBe(0);
    expect(mac.calls()).toContain('brew install git tmux python@3.13 node@24');
    expect(mac.calls()).toContainEqual(
      expect.stringMatching(/^launchctl bootstrap system .*dispatch\.tmux\.plist$/u),
    );
    expect(mac.calls().filter((call) => call.startsWith('useradd'))).toEqual([]);
    expect(readlinkSync(join(mac.home, '.dispatch/node/bin/node'))).toContain('brew/node@24/bin/node');
    expect(JSON.parse(made.stdout)).toMatchObject({
      user: 'dev',
      slots: 5,
      system: 'macOS 15.1',
      arch: 'arm64',
    });
    expect(made.stderr).toContain('keychain is locked');
    expect(mac.bootstrap().stderr).toContain('nothing was changed');
    expect(mac.bootstrap('--check').code).toBe(0);
    const gone = mac.bootstrap('--uninstall');
    expect(gone.code, gone.stderr).toBe(0);
    expect(mac.calls()).toContain('launchctl bootout system/dispatch.tmux');
  });

  test('the daemon is a property list that runs tmux in the foreground, as the worker', ({ skip }) => {
    const mac = macos();
    expect(mac.bootstrap('--name', 'mac2', '--mode', 'shell').code).toBe(0);
    const plist = 'import plistlib,sys,json; print(json.dumps(plistlib.load(open(sys.argv[1],"rb"))))';
    const file = join(mac.dir, 'system/Library/LaunchDaemons/dispatch.tmux.plist');
    const read = spawnSync('python3', ['-c', plist, file], { encoding: 'utf8' });
    skip(read.error !== undefined, 'there is no python3 here to read a property list');
    expect(JSON.parse(read.stdout)).toMatchObject({
      UserName: 'dev',
      KeepAlive: true,
      AbandonProcessGroup: true,
      ProgramArguments: [
        expect.stringMatching(/\/bin\/tmux$/u),
        '-D',
        '-S',
        `${mac.home}/agent-worker/run/tmux.sock`,
        '-f',
        '/dev/null',
      ],
    });
  });

  test('without Homebrew it says what to install first', () => {
    const mac = macos();
    unlinkSync(join(mac.dir, 'bin/brew'));
    const { code, stderr } = mac.bootstrap('--name', 'mac2');
    expect(code).toBe(1);
    expect(stderr).toContain('https://brew.sh');
  });
});
