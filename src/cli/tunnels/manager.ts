/** What starts programs for a user who is not there: systemd on Linux, launchd on macOS. */
import { DispatchError } from '../../model/error.ts';
import type { Environment } from '../environment.ts';
import { run } from '../../transport/child.ts';
import { launchd } from './launchd.ts';
import type { Service } from './service.ts';
import type { Manager, Words } from './supervisor.ts';
import { systemd } from './systemd.ts';

/** @throws DispatchError E_NO_SUPERVISOR on a system that has neither. */
export function managerFor(service: Service, environment: Environment): Manager {
  const { userHome, user, variables } = environment;
  switch (process.platform) {
    case 'linux':
      return systemd(service, { userHome, user, config: variables.XDG_CONFIG_HOME ?? `${userHome}/.config` });
    case 'darwin':
      return launchd(service, { userHome, uid: process.getuid?.() ?? 0 });
    default:
      throw new DispatchError('E_NO_SUPERVISOR', `there is no known supervisor on ${process.platform}`, {
        fix: 'dispatch serve   (in a terminal that stays open)',
      });
  }
}

/** Longest time for one word to the supervisor; a stop waits for the controller to let go. Milliseconds. */
const WORD_MS = 60_000;

/** @throws DispatchError E_SUPERVISOR with what it said. */
export async function tell(words: Words): Promise<void> {
  const [program, ...args] = words;
  const { code, stdout, stderr, failed } = await run(program, args, WORD_MS);
  if (code === 0) return;
  const said = `${stderr}\n${stdout}`.trim();
  throw new DispatchError('E_SUPERVISOR', `${words.join(' ')} failed`, {
    why: failed ?? (said === '' ? `exit code ${code}` : said),
    fix: 'dispatch tunnels status   (the same command again goes on where this one stopped)',
  });
}
