/**
 * The few settings of the user that reaching their repository needs. Everything else of their git configuration stays
 * out: it is made for a person at a terminal, and a line in it must not change what is merged. The settings go into a
 * file of our own that takes the place of the global configuration for one command.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Remote } from './remote.ts';
import { git } from './run.ts';

/** How to reach a host and prove who one is. Aliases, hooks, filters, merge drivers and the rest are not here. */
const NETWORK =
  /^(?:credential\..+|http\..+|core\.sshcommand|ssh\.variant|url\..+\.(?:insteadof|pushinsteadof))$/s;
/** Repositories of other users that this user said are fine to use. */
const LOCAL = /^safe\.directory$/s;

/** Where the user's git looks for its configuration. */
const PLACES = ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM'] as const;

const SSH_VARIABLES = ['GIT_SSH_COMMAND', 'GIT_SSH', 'GIT_SSH_VARIANT', 'GIT_ASKPASS'] as const;

/** Writes `file` and returns the environment for commands that talk to the remote. */
export async function remoteSettings(
  remote: Remote,
  file: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const wanted = remote.kind === 'local' ? LOCAL : NETWORK;
  const settings = (await userSettings()).filter(({ key }) => wanted.test(key));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, settings.map(settingText).join(''), { mode: 0o600 });
  const env: Record<string, string | undefined> = { GIT_CONFIG_GLOBAL: file, SSH_ASKPASS_REQUIRE: 'never' };
  if (remote.kind === 'network') {
    for (const name of SSH_VARIABLES) if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  return env;
}

interface Setting {
  /** Section and name in lower case, the part between them as it is. */
  readonly key: string;
  /** null: the key stands alone, which means true. */
  readonly value: string | null;
}

/** System and global configuration as this user's git sees them, includes resolved. */
async function userSettings(): Promise<Setting[]> {
  const { stdout } = await git(['config', '--list', '-z', '--show-scope', '--includes'], {
    env: Object.fromEntries(PLACES.map((name) => [name, process.env[name]])),
    // A configuration that git cannot read is the user's to mend; ours works without it.
    okCodes: [0, 128],
  });
  const fields = stdout.toString('utf8').split('\0');
  const settings: Setting[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [scope, entry] = [fields[at], fields[at + 1] ?? ''];
    if (scope !== 'system' && scope !== 'global') continue;
    const end = entry.indexOf('\n');
    settings.push(
      end === -1 ? { key: entry, value: null } : { key: entry.slice(0, end), value: entry.slice(end + 1) },
    );
  }
  return settings;
}

/** In the syntax of a configuration file. */
function settingText({ key, value }: Setting): string {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  const section = key.slice(0, first);
  const subsection = first === last ? '' : ` "${key.slice(first + 1, last).replace(/["\\]/g, '\\$&')}"`;
  const name = key.slice(last + 1);
  return `[${section}${subsection}]\n\t${name}${value === null ? '' : ` = "${escapeValue(value)}"`}\n`;
}

function escapeValue(value: string): string {
  return value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}
