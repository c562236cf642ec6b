/** What the files of known hosts say about a host. ssh-keygen reads them, hashed names included; we compare keys. */
import { DispatchError } from '../model/error.ts';
import { run } from './child.ts';
import type { SshSettings } from './ssh-settings.ts';

export interface KnownKey {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
  readonly type: string;
  /** The key in base64, as in the file. */
  readonly key: string;
  readonly marker: 'cert-authority' | 'revoked' | null;
}

const LOOKUP_MS = 10_000;

/** Every recorded key of the host, in all its files. Files that do not exist hold none. */
export async function knownKeys(settings: SshSettings): Promise<KnownKey[]> {
  const found: KnownKey[] = [];
  for (const file of settings.knownHostsFiles) {
    const result = await run('ssh-keygen', ['-F', settings.hostKeyName, '-f', file], LOOKUP_MS);
    if (result.code === 0) found.push(...parseFound(result.stdout, file));
  }
  return found;
}

/** Output of `ssh-keygen -F`: a comment that names the line, then the line itself. */
export function parseFound(text: string, file: string): KnownKey[] {
  const keys: KnownKey[] = [];
  let line = 0;
  for (const row of text.split('\n')) {
    const header = /^# Host .* found: line (\d+)/.exec(row);
    if (header !== null) {
      line = Number(header[1]);
      continue;
    }
    const fields = row.split(' ').filter((field) => field !== '');
    const marked = fields[0]?.startsWith('@') === true;
    const [, type, key] = marked ? fields.slice(1) : fields;
    if (type === undefined || key === undefined) continue;
    const marker = !marked ? null : fields[0] === '@revoked' ? 'revoked' : 'cert-authority';
    keys.push({ file, line, type, key, marker });
  }
  return keys;
}

/**
 * Host key algorithms to ask the server for: those of the keys we know, so that a host recorded by its ed25519 key is
 * not judged by its rsa key. Certificates and security keys are not here: ssh2 has neither.
 */
export function algorithmsFor(known: readonly KnownKey[]): string[] {
  const order = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'ssh-rsa',
  ];
  const types = new Set(known.filter((key) => key.marker === null).map((key) => key.type));
  return order
    .filter((type) => types.has(type))
    .flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]));
}

/** True when the offered key is recorded and not revoked. @param offered the raw key, as the server sent it. */
export function isKnown(known: readonly KnownKey[], offered: Buffer): boolean {
  const same = known.filter((key) => key.key === offered.toString('base64'));
  return same.some((key) => key.marker === null) && !same.some((key) => key.marker === 'revoked');
}

/** The host has no recorded key. Nothing has been sent. */
export function unknownHost(settings: SshSettings): DispatchError {
  return new DispatchError(
    'E_HOST_KEY_UNKNOWN',
    `no host key of ${settings.hostKeyName} is known, so nothing was sent to it`,
    {
      where: settings.target,
      why: `none of ${settings.knownHostsFiles.join(', ')} names it`,
      fix: `dispatch nodes add ${settings.target}`,
    },
  );
}

/** The host answered with another key than the recorded ones. @param why what was seen instead. */
export function changedHost(settings: SshSettings, known: readonly KnownKey[], why: string): DispatchError {
  const places = known.map((key) => `${key.file}:${key.line}`);
  const files = [...new Set(known.map((key) => key.file))];
  return new DispatchError(
    'E_HOST_KEY_CHANGED',
    `the host key of ${settings.hostKeyName} is not the recorded one, so nothing was sent to it`,
    {
      where: places.join(', '),
      why,
      fix: files.map((file) => `ssh-keygen -R '${settings.hostKeyName}' -f '${file}'`).join(' && '),
    },
  );
}
