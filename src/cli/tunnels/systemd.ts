import { join } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import { run } from '../../transport/child.ts';
import type { Manager, ServiceState, Words } from './supervisor.ts';
import type { Service } from './service.ts';
import { systemdUnit } from './systemd-unit.ts';

const ASK_MS = 10_000;

export function systemd(
  service: Service,
  { user, config }: { readonly userHome: string; readonly user: string; readonly config: string },
): Manager {
  const unit = `${service.name}.service`;
  const systemctl = (...args: string[]): Words => ['systemctl', '--user', ...args];
  return {
    kind: 'systemd',
    file: join(config, 'systemd', 'user', unit),
    text: systemdUnit(service),
    logs: `journalctl --user -u ${unit} -f`,
    check: () => checkUserManager(user),
    state: () => stateOf(unit),
    load: ({ running }, changed) => [
      ...(changed ? [systemctl('daemon-reload')] : []),
      systemctl('enable', unit),
      systemctl(running && changed ? 'restart' : 'start', unit),
    ],
    unload: ({ enabled, running }) => ({
      before: enabled || running ? [systemctl('disable', '--now', unit)] : [],
      after: [systemctl('daemon-reload')],
    }),
    hint: () => lingerHint(user),
  };
}

async function checkUserManager(user: string): Promise<void> {
  const { code, stderr, failed } = await run('systemctl', ['--user', 'show-environment'], ASK_MS);
  if (code === 0) return;
  throw new DispatchError('E_NO_SUPERVISOR', 'there is no systemd for this user here', {
    why: failed === 'ENOENT' ? 'systemctl is not installed' : (failed ?? stderr.trim()),
    fix: `loginctl enable-linger ${user}, log in again and repeat; without systemd: dispatch serve in a terminal that stays open`,
  });
}

/** `show` answers for units that do not exist as well. */
async function stateOf(unit: string): Promise<ServiceState> {
  const keys = 'ActiveState,SubState,MainPID,NRestarts,UnitFileState';
  const { stdout } = await run('systemctl', ['--user', 'show', unit, `--property=${keys}`], ASK_MS);
  const said = new Map(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const active = said.get('ActiveState') ?? 'unknown';
  const restarts = Number(said.get('NRestarts') ?? 0);
  const pid = Number(said.get('MainPID') ?? 0);
  const again = restarts > 0 ? `, started again ${restarts === 1 ? 'once' : `${restarts} times`}` : '';
  return {
    enabled: said.get('UnitFileState') === 'enabled',
    running: active === 'active' || active === 'activating',
    pid: pid > 0 ? pid : null,
    detail: `${active} (${said.get('SubState') ?? '?'})${again}`,
  };
}

async function lingerHint(user: string): Promise<string | null> {
  const { code, stdout } = await run('loginctl', ['show-user', user, '--property=Linger', '--value'], ASK_MS);
  if (code === 0 && stdout.trim() === 'yes') return null;
  return `it ends at logout and begins at login; to keep it in between: loginctl enable-linger ${user}`;
}
