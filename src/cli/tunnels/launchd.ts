import { join } from 'node:path';
import { DispatchError } from '../../model/error.ts';
import { run } from '../../transport/child.ts';
import { launchdAgent } from './launchd-agent.ts';
import type { Manager, ServiceState, Words } from './supervisor.ts';
import type { Service } from './service.ts';

const ASK_MS = 10_000;

export function launchd(
  service: Service,
  { userHome, uid }: { readonly userHome: string; readonly uid: number },
): Manager {
  const { name } = service;
  const domain = `gui/${uid}`;
  const target = `${domain}/${name}`;
  const file = join(userHome, 'Library', 'LaunchAgents', `${name}.plist`);
  const log = join(userHome, 'Library', 'Logs', `${name}.log`);
  const bootout: Words = ['launchctl', 'bootout', target];
  return {
    kind: 'launchd',
    file,
    text: launchdAgent(service, log),
    logs: `tail -f ${log}`,
    check: () => checkDomain(domain),
    state: () => stateOf(target),
    // What is loaded is not read again, and loading it twice is an error.
    load: ({ enabled }, changed) => {
      if (enabled && !changed) return [];
      return [
        ...(enabled ? [bootout] : []),
        ['launchctl', 'enable', target],
        ['launchctl', 'bootstrap', domain, file],
      ];
    },
    unload: ({ enabled }) => ({ before: enabled ? [bootout] : [], after: [] }),
    hint: async () => 'it runs while you are logged in on this Mac, locked or not, and goes on after sleep',
  };
}

async function checkDomain(domain: string): Promise<void> {
  const { code, stderr, failed } = await run('launchctl', ['print', domain], ASK_MS);
  if (code === 0) return;
  throw new DispatchError('E_NO_SUPERVISOR', 'launchd has no session of this user', {
    where: domain,
    why: failed ?? stderr.trim(),
    fix: 'log in on the screen of this Mac, then repeat; or: dispatch serve in a terminal that stays open',
  });
}

async function stateOf(target: string): Promise<ServiceState> {
  const { code, stdout } = await run('launchctl', ['print', target], ASK_MS);
  if (code !== 0) return { enabled: false, running: false, pid: null, detail: 'not loaded' };
  const said = (key: string): string | undefined => new RegExp(`^\\s*${key} = (.+)$`, 'mu').exec(stdout)?.[1];
  const pid = Number(said('pid') ?? 0);
  const last = said('last exit code');
  const state = said('state') ?? 'unknown';
  return {
    enabled: true,
    running: state === 'running',
    pid: pid > 0 ? pid : null,
    detail: last === undefined ? state : `${state}, last exit code ${last}`,
  };
}
