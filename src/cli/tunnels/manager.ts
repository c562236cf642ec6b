/** What starts programs for a user who is not there: systemd on Linux, launchd on macOS. */
import { DispatchError } from '../../model/error.ts';
import type { Environment } from '../environment.ts';
import { run } from '../../transport/child.ts';
import { launchd } from './launchd.ts';
import type { Service } from './service.ts';
import { systemd } from './systemd.ts';

export interface Manager {
  readonly kind: 'systemd' | 'launchd';
  /** Where the unit goes, and what is written there. */
  readonly file: string;
  readonly text: string;
  /** Shows what the service has printed. */
  readonly logs: string;
  /** @throws DispatchError E_NO_SUPERVISOR when nothing here would keep it running. */
  check(): Promise<void>;
  state(): Promise<ServiceState>;
  /** Command lines that make it run as the file says; `state` as it was before the file was written. */
  load(state: ServiceState, changed: boolean): readonly Words[];
  /** Command lines before the file is removed, and after. */
  unload(state: ServiceState): { readonly before: readonly Words[]; readonly after: readonly Words[] };
  /** What else a person may have to do so that it runs while nobody is logged in; null: nothing. */
  hint(): Promise<string | null>;
}

export type Words = readonly [program: string, ...args: string[]];

export interface ServiceState {
  /** The supervisor knows it and starts it at login. */
  readonly enabled: boolean;
  readonly running: boolean;
  readonly pid: number | null;
  /** In the supervisor's words. */
  readonly detail: string;
}

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
