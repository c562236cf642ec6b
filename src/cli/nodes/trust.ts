/**
 * The one moment at which a host key is accepted: a person has seen its fingerprint, or said beforehand which one it
 * must be. Everywhere else an unknown key is an error.
 */
import { DispatchError } from '../../model/error.ts';
import type { NodeConfig } from '../../model/spec.ts';
import { type ScannedKey, scanHostKey, trustHostKey } from '../../transport/host-key.ts';
import { changedHost, type KnownKey, knownKeys } from '../../transport/known-hosts.ts';
import { readSshSettings } from '../../transport/ssh-settings.ts';
import type { Context } from '../context.ts';

export interface TrustOptions {
  /** The only fingerprint that is accepted, `SHA256:…`; of a list any one. */
  readonly fingerprint?: string | readonly string[];
  /** Accept what is shown. */
  readonly yes?: boolean;
}

/** @throws DispatchError E_FINGERPRINT, E_HOST_KEY_CHANGED, E_NEEDS_TERMINAL, E_DECLINED, and what scanHostKey throws. */
export async function trustNode(context: Context, config: NodeConfig, options: TrustOptions): Promise<void> {
  const { reach } = config;
  if (reach.by !== 'ssh') return;
  const settings = await readSshSettings({ target: reach.target, configFile: reach.configFile });
  const known = await knownKeys(settings);
  // A certificate authority vouches for the host; ssh itself checks that.
  if (known.some(({ marker }) => marker === 'cert-authority')) return;
  const scanned = await scanHostKey(settings);
  show(context, config, scanned);
  const wanted = named(config, scanned, options.fingerprint);
  if (scanned.some((key) => isRecorded(key, known))) return;
  if (known.length > 0)
    throw changedHost(
      settings,
      known,
      `it shows ${scanned.map(({ fingerprint }) => fingerprint).join(', ')}`,
    );
  if (options.fingerprint === undefined && options.yes !== true) await agree(context, config);
  await trustHostKey(
    wanted.map(({ line }) => line),
    settings.userKnownHostsFile,
  );
  context.output.note(`recorded in ${settings.userKnownHostsFile}`);
}

function show({ output }: Context, { name }: NodeConfig, keys: readonly ScannedKey[]): void {
  output.note(`host key of ${name}:`);
  for (const { type, fingerprint } of keys) output.note(`  ${fingerprint}  ${type}`);
}

/** With --fingerprint only that key is recorded. */
function named(
  config: NodeConfig,
  keys: readonly ScannedKey[],
  fingerprint: string | readonly string[] | undefined,
): readonly ScannedKey[] {
  if (fingerprint === undefined) return keys;
  const accepted = typeof fingerprint === 'string' ? [fingerprint] : fingerprint;
  const bare = (text: string): string => text.replace(/^SHA256:/u, '').replace(/=+$/u, '');
  const found = keys.filter((key) => accepted.some((one) => bare(key.fingerprint) === bare(one)));
  if (found.length > 0) return found;
  throw new DispatchError('E_FINGERPRINT', `${config.name} does not have the host key that was named`, {
    where: config.name,
    why: `named ${accepted.join(' or ')}; it shows ${keys.map((key) => key.fingerprint).join(', ')}`,
    fix: 'compare on the machine itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  });
}

function isRecorded({ line }: ScannedKey, known: readonly KnownKey[]): boolean {
  const key = line.split(' ').at(-1);
  return known.some((one) => one.marker === null && one.key === key);
}

async function agree({ environment }: Context, { name }: NodeConfig): Promise<void> {
  if (!environment.interactive) {
    throw new DispatchError('E_NEEDS_TERMINAL', 'the host key is new, and there is nobody to ask', {
      where: name,
      fix: `compare the fingerprint, then: dispatch nodes add ${name} --fingerprint SHA256:…   (or --yes)`,
    });
  }
  const { confirm } = await import('@clack/prompts');
  const answer = await confirm({
    message: `Is this the key of ${name}?`,
    initialValue: false,
    output: process.stderr,
  });
  if (answer !== true)
    throw new DispatchError('E_DECLINED', 'the host key was not accepted; nothing was changed');
}
