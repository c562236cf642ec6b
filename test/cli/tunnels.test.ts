/** The supervisors are scripts that keep what they are told in files; the units they are given are checked by real parsers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { launchdAgent } from '../../src/cli/tunnels/launchd-agent.ts';
import { launchd } from '../../src/cli/tunnels/launchd.ts';
import { tell } from '../../src/cli/tunnels/manager.ts';
import { serviceFor } from '../../src/cli/tunnels/service.ts';
import { systemdUnit } from '../../src/cli/tunnels/systemd-unit.ts';
import { dispatch, makeHome, type RunOptions, scratch } from './dispatch.ts';

const SYSTEMCTL = `#!/bin/sh
# What the user's systemd does with one unit, as far as dispatch asks it.
test "$1" = --user && shift
echo "$*" >>"$STUB/told"
case "$1" in
show-environment) test -e "$STUB/no-bus" && { echo "Failed to connect to bus" >&2; exit 1; }; exit 0 ;;
enable) : >"$STUB/enabled" ;;
start | restart) : >"$STUB/active" ;;
disable) rm -f "$STUB/enabled" "$STUB/active" ;;
show)
  test -e "$STUB/active" && echo "ActiveState=active" || echo "ActiveState=inactive"
  test -e "$STUB/active" && echo "SubState=running" || echo "SubState=dead"
  test -e "$STUB/active" && echo "MainPID=4711" || echo "MainPID=0"
  test -e "$STUB/enabled" && echo "UnitFileState=enabled" || echo "UnitFileState="
  echo "NRestarts=0" ;;
esac
`;

const LOGINCTL = '#!/bin/sh\necho no\n';

const LAUNCHCTL = `#!/bin/sh
# What launchd does with one agent: loading it twice is an error, as on a Mac.
echo "$*" >>"$STUB/told"
case "$1" in
print)
  case "$2" in gui/501) exit 0 ;; esac
  test -e "$STUB/loaded" || { echo "Could not find service" >&2; exit 113; }
  printf '\\tstate = running\\n\\tpid = 4712\\n\\tlast exit code = 1\\n' ;;
bootstrap) test -e "$STUB/loaded" && { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }; : >"$STUB/loaded" ;;
bootout) rm -f "$STUB/loaded" ;;
esac
`;

const linux = process.platform === 'linux';

describe.skipIf(!linux)('tunnels with systemd', { timeout: 150_000 }, () => {
  test('install writes the unit and starts it; a second time nothing changes; uninstall leaves nothing', async () => {
    const { home, options, told, stub } = withSystemd();
    const first = await dispatch(['tunnels', 'install'], options);
    expect(first.code, first.stderr).toBe(0);
    expect(told()).toEqual([
      'daemon-reload',
      expect.stringMatching(/^enable /u),
      expect.stringMatching(/^start /u),
    ]);
    const unit = /^wrote (\S+)$/mu.exec(first.stdout)?.[1] ?? '';
    expect(unit).toContain(join(stub, 'config', 'systemd', 'user', 'dispatch-serve-'));
    const text = readFileSync(unit, 'utf8');
    expect(text).toContain(`"serve" "--home" "${home}"`);
    expect(first.stderr).toContain('journalctl --user -u dispatch-serve-');
    expect(first.stderr).toContain('loginctl enable-linger');

    const second = await dispatch(['tunnels', 'install', '-o', 'json'], options);
    expect(JSON.parse(second.stdout).data).toMatchObject({
      changed: false,
      commands: [],
      supervisor: 'systemd',
    });
    expect(told()).toEqual([]);
    expect(readFileSync(unit, 'utf8')).toBe(text);

    const status = await dispatch(['tunnels', 'status', '-o', 'json'], options);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout).data).toMatchObject({ installed: 'yes', running: true, pid: 4711 });

    const removed = await dispatch(['tunnels', 'uninstall'], options);
    expect(removed).toMatchObject({ code: 0, stdout: `removed ${unit}; agents go on\n` });
    expect(told()).toEqual([expect.stringMatching(/^disable --now /u), 'daemon-reload']);
    expect(existsSync(unit)).toBe(false);
    const again = await dispatch(['tunnels', 'uninstall'], options);
    expect(again).toMatchObject({ code: 0, stdout: 'it is not installed\n' });
    expect(told()).toEqual([]);
  });

  test('install mends a unit that somebody changed, and starts it anew', async () => {
    const { options, told } = withSystemd();
    const { stdout } = await dispatch(['tunnels', 'install', '-o', 'json'], options);
    const { file, text } = JSON.parse(stdout).data;
    told();
    writeFileSync(file, `${text}# mine\n`);
    const status = await dispatch(['tunnels', 'status'], options);
    expect(status.code).toBe(3);
    expect(status.stderr).toContain('dispatch tunnels install');
    await dispatch(['tunnels', 'install'], options);
    expect(told()).toContainEqual(expect.stringMatching(/^restart /u));
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('a dry run shows the file and the commands and changes nothing', async () => {
    const { options, told, stub } = withSystemd();
    const { code, stdout } = await dispatch(['tunnels', 'install', '--dry-run'], options);
    expect(code).toBe(0);
    expect(stdout).toContain('[Service]');
    expect(stdout).toMatch(/^\$ systemctl --user enable dispatch-serve-/mu);
    expect(told()).toEqual([]);
    expect(existsSync(join(stub, 'config'))).toBe(false);
  });

  test('says so when there is no systemd for the user, and writes nothing', async () => {
    const { options, stub } = withSystemd();
    writeFileSync(join(stub, 'no-bus'), '');
    const { code, stderr } = await dispatch(['tunnels', 'install'], options);
    expect(code).toBe(6);
    expect(stderr).toMatch(/error\[E_NO_SUPERVISOR\].*\n.*Failed to connect to bus\n.*dispatch serve/u);
    expect(existsSync(join(stub, 'config'))).toBe(false);
    expect((await dispatch(['tunnels', 'status'], options)).code).toBe(3);
  });

  test.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
    'systemd itself finds nothing wrong with the unit, whatever the paths contain (skipped without systemd-analyze)',
    () => {
      const dir = join(scratch(), 'a "home" at 100% $HOME \\x');
      mkdirSync(dir);
      const service = serviceFor({ ...HERE, home: dir, variables: { PATH: '/bin:/opt/a b%c"d' } });
      const file = join(scratch(), `${service.name}.service`);
      writeFileSync(file, systemdUnit(service));
      const { status, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', file], {
        encoding: 'utf8',
        env: { ...process.env, XDG_RUNTIME_DIR: scratch() },
      });
      expect({ status, stderr: mentions(stderr, service.name) }).toEqual({ status: 0, stderr: [] });
    },
  );
});

describe('tunnels with launchd', () => {
  test('loads the agent once, anew when it has changed, and unloads it', async () => {
    const stub = stubs({ launchctl: LAUNCHCTL });
    const userHome = scratch();
    const service = serviceFor({ ...HERE, home: '/Users/me/fleet', variables: { PATH: '/bin' } });
    const manager = launchd(service, { userHome, uid: 501 });
    const load = async (changed: boolean): Promise<void> => {
      for (const words of manager.load(await manager.state(), changed)) await tell(words);
    };
    await withPath(stub, async () => {
      await manager.check();
      expect(await manager.state()).toMatchObject({ enabled: false, running: false });
      await load(true);
      await load(false);
      await load(true);
      expect(await manager.state()).toMatchObject({ enabled: true, running: true, pid: 4712 });
      for (const words of manager.unload(await manager.state()).before) await tell(words);
      expect(await manager.state()).toMatchObject({ enabled: false });
    });
    expect(toldIn(stub).filter((line) => !line.startsWith('print'))).toEqual([
      `enable gui/501/${service.name}`,
      `bootstrap gui/501 ${manager.file}`,
      `bootout gui/501/${service.name}`,
      `enable gui/501/${service.name}`,
      `bootstrap gui/501 ${manager.file}`,
      `bootout gui/501/${service.name}`,
    ]);
    expect(manager.file).toBe(join(userHome, 'Library', 'LaunchAgents', `${service.name}.plist`));
  });

  test('refuses without a session of the user, with what launchd said', async () => {
    const stub = stubs({ launchctl: '#!/bin/sh\necho "Could not find domain" >&2\nexit 112\n' });
    const service = serviceFor({ ...HERE, home: '/Users/me/fleet', variables: {} });
    const manager = launchd(service, { userHome: scratch(), uid: 501 });
    await withPath(stub, async () => {
      await expect(manager.check()).rejects.toMatchObject({
        code: 'E_NO_SUPERVISOR',
        why: 'Could not find domain',
      });
    });
  });

  const python = spawnSync('python3', ['-c', 'import plistlib']).status === 0;
  test.skipIf(!python)(
    'the agent is a property list with what launchd needs (skipped without python3)',
    () => {
      const home = '/Users/me/<a> & "b"';
      const service = serviceFor({ ...HERE, home, variables: { PATH: '/opt/homebrew/bin:/bin' } });
      const file = join(scratch(), 'agent.plist');
      writeFileSync(file, launchdAgent(service, '/Users/me/Library/Logs/x.log'));
      const script = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
      const parsed = JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }));
      expect(parsed).toMatchObject({
        Label: service.name,
        ProgramArguments: [...service.command],
        EnvironmentVariables: { PATH: '/opt/homebrew/bin:/bin' },
        KeepAlive: true,
        RunAtLoad: true,
        ThrottleInterval: 10,
        AbandonProcessGroup: true,
        WorkingDirectory: home,
      });
    },
  );
});

test('a path with a line break is refused, because it could add lines to a unit', () => {
  expect(() => serviceFor({ ...HERE, home: '/a\nExecStart=/bin/evil', variables: {} })).toThrowError(
    expect.objectContaining({ code: 'E_USAGE' }) as Error,
  );
});

const HERE = { node: process.execPath, program: '/opt/dispatch/dist/dispatch.js' };

/** A home, and a systemctl that remembers; `told` gives what changed anything since it was asked last. */
function withSystemd(): { home: string; stub: string; options: RunOptions; told: () => string[] } {
  const stub = stubs({ systemctl: SYSTEMCTL, loginctl: LOGINCTL });
  const home = makeHome();
  const env = {
    STUB: stub,
    HOME: stub,
    PATH: `${stub}${delimiter}${process.env.PATH}`,
    XDG_CONFIG_HOME: join(stub, 'config'),
  };
  return {
    home,
    stub,
    options: { cwd: home, env },
    told: () => {
      const lines = toldIn(stub).filter((line) => !line.startsWith('show'));
      rmSync(join(stub, 'told'), { force: true });
      return lines;
    },
  };
}

function stubs(programs: Readonly<Record<string, string>>): string {
  const dir = scratch();
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(dir, name), text);
    chmodSync(join(dir, name), 0o755);
  }
  return dir;
}

function toldIn(stub: string): string[] {
  const file = join(stub, 'told');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

/** With the stubs first on this process's own PATH. */
async function withPath(stub: string, work: () => Promise<void>): Promise<void> {
  const { PATH } = process.env;
  const restore = (): void => {
    process.env.PATH = PATH;
    delete process.env.STUB;
  };
  onTestFinished(restore);
  process.env.PATH = `${stub}${delimiter}${PATH}`;
  process.env.STUB = stub;
  await work();
  restore();
}

/** What is said about our unit; the machine's own units may have faults. */
function mentions(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.includes(name));
}
