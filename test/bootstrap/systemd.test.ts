/**
 * What `dispatch tunnels install` writes, kept by a real systemd: a machine of its own, an ordinary account that lingers, and
 * its user manager. The controller is killed and stopped while agents of that very machine work.
 */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Home, makeHome, PROJECT } from '../cluster/home.ts';
import { until } from '../cluster/until.ts';
import { Machine, noNamespaces } from './machine.ts';

const WITHOUT =
  process.env.DISPATCH_TEST_BOOTSTRAP === '1'
    ? (noNamespaces() ?? noSystemd())
    : 'run it with make test-bootstrap';
if (WITHOUT !== null) process.stderr.write(`SKIPPED test/bootstrap/systemd.test.ts: ${WITHOUT}\n`);

/** Where the machine has our packages, and what was built below them. */
const MODULES = '/srv/node_modules';
const USER = 'keeper';
const UID = 4711;

test.skipIf(WITHOUT !== null)(
  'a controller that is killed comes back by itself, and neither that nor a stop touches an agent of its machine',
  { timeout: 300_000 },
  async () => {
    const home = makeHome({
      // No sandbox in a machine whose /proc is guarded.
      project: { trusted: true },
      tasks: {
        S01: { agent: 'mark first; await go-first; put src/S01.txt S01' },
        S02: { agent: 'mark second; await go-second; put src/S02.txt S02', depends_on: ['S01'] },
      },
    });
    const on = await machineOf(home);
    const installed = on.dispatch('tunnels', 'install');
    const unit = /dispatch-serve-\w+\.service/u.exec(installed)?.[0] ?? '';
    expect(installed).toContain('wrote ');
    on.begin('start', PROJECT);
    await home.marked('first');
    const first = on.mainPid(unit);

    on.sh(`kill -KILL ${first}`);
    expect(on.lives(home, 'S01')).toBe(true);
    home.mark('go-first');
    await until('another controller', () => ![0, first].includes(on.mainPid(unit)));
    await home.marked('second');
    expect(JSON.parse(on.dispatch('tunnels', 'status', '-o', 'json'))).toMatchObject({
      data: { running: true, detail: 'active (running), started again once' },
    });

    on.as(`systemctl --user stop ${unit}`);
    expect(on.as(`systemctl --user show ${unit} -p Result -p ActiveState`).split('\n').toSorted()).toEqual([
      '',
      'ActiveState=inactive',
      'Result=success',
    ]);
    expect(on.lives(home, 'S02')).toBe(true);
    on.as(`systemctl --user start ${unit}`);
    home.mark('go-second');
    await until('all merged', () => on.words().every((word) => word === 'merged'));
    expect(home.attempts()).toEqual(['S01 1', 'S02 1']);

    on.dispatch('tunnels', 'uninstall');
    expect(
      on.as(`systemctl --user show ${unit} -p LoadState -p MainPID --value`).split('\n').toSorted(),
    ).toEqual(['', '0', 'not-found']);
  },
);

/** The machine, as its user sees it. */
class Kept {
  readonly #machine: Machine;
  readonly #home: Home;
  readonly #program: string;

  constructor(machine: Machine, home: Home) {
    this.#machine = machine;
    this.#home = home;
    const modules = realpathSync('node_modules');
    this.#program = join(
      MODULES,
      relative(modules, realpathSync(process.env.DISPATCH_DIST ?? 'dist')),
      'dispatch.js',
    );
  }

  sh(script: string): string {
    return this.#machine.sh(script);
  }

  /** A shell command of the user, in the home; its output. */
  as(script: string): string {
    const { dir, base } = this.#home;
    const begin = `cd ${dir}; dispatch() { node ${this.#program} "$@"; }; `;
    const environment = [
      `HOME=${join(base, 'user')}`,
      `XDG_RUNTIME_DIR=/run/user/${UID}`,
      'PATH=/usr/local/bin:/usr/bin:/bin',
    ];
    const shell = ['sh', '-c', begin + script];
    const words = ['runuser', '-u', USER, '--', 'env', '-i', ...environment, ...shell];

    const { code, stdout, stderr } = this.#machine.run(words);
    if (code !== 0) throw new Error(`${script}: ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  dispatch(...args: string[]): string {
    return this.as(`dispatch ${args.join(' ')}`);
  }

  /** The same, and nobody waits for it. What it says is in begun.log of the home. */
  begin(...args: string[]): void {
    this.as(`exec >begun.log 2>&1 </dev/null; node ${this.#program} ${args.join(' ')} &`);
  }

  mainPid(unit: string): number {
    return Number(this.as(`systemctl --user show ${unit} -p MainPID --value`));
  }

  /** The status words of all tasks. */
  words(): string[] {
    const { data } = JSON.parse(this.dispatch('status', '-o', 'json')) as { data: { status: string }[] };
    return data.map(({ status }) => status);
  }

  /** Whether the agent of a task is alive, by the number it has on its machine. */
  lives(home: Home, task: string): boolean {
    const pid = home.executions().findLast((ran) => ran.task === task)?.pid ?? 0;
    return this.#machine.run(['kill', '-0', String(pid)]).code === 0;
  }
}

async function machineOf(home: Home): Promise<Kept> {
  const shared = [`${home.base}:${home.base}`, `${realpathSync('node_modules')}:${MODULES}`];
  const machine = new Machine({ systemd: true, network: false, shared });
  onTestFinished(() => machine.stop());
  await machine.ready();
  const hears = (command: string): boolean => machine.run(['sh', '-c', command]).code === 0;
  await until('systemd', () => hears('systemctl is-system-running'));
  machine.sh(`useradd -u ${UID} -d ${join(home.base, 'user')} ${USER} && chown -R ${USER} ${home.base}`);
  machine.sh(`loginctl enable-linger ${USER}`);
  await until('its user manager', () => hears(`systemctl is-active user@${UID}.service`));
  return new Kept(machine, home);
}

function noSystemd(): string | null {
  const has = ['/lib/systemd/systemd', 'loginctl', 'dbus-daemon'].every(
    (program) => spawnSync(program, ['--version']).status === 0,
  );
  return has
    ? null
    : 'needs systemd with user managers: apt-get install systemd dbus-user-session libpam-systemd';
}
