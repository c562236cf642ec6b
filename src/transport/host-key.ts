/** The first key of a host: shown to a person by `nodes add`, and recorded only after the person agrees. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import { timedOut, unreachable } from './ssh-failure.ts';
import { readSshSettings, type SshSettings, type SshTarget } from './ssh-settings.ts';
import { Route, socketTo } from './ssh2-login.ts';

export interface ScannedKey {
  /** `ssh-ed25519`, … */
  readonly type: string;
  /** `SHA256:…` as ssh-keygen -l prints it. */
  readonly fingerprint: string;
  /** The line for the file of known hosts; the name is hashed where the ssh configuration asks for it. */
  readonly line: string;
}

const TYPES: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];

/**
 * Asks the host for its keys, one connection per type, one after another; authenticates nothing and sends nothing but
 * the key exchange. Goes through jump hosts and proxy commands as the ssh configuration says.
 * @returns the keys it has, best first.
 * @throws DispatchError E_NODE_UNREACHABLE when it shows no key at all, and what the jump hosts throw.
 */
export async function scanHostKey(target: SshTarget): Promise<ScannedKey[]> {
  const settings = await readSshSettings(target);
  const keys: Buffer[] = [];
  for (const algorithms of TYPES) {
    const key = await offeredKey(settings, algorithms);
    if (key !== null) keys.push(key);
  }
  if (keys.length === 0)
    throw unreachable(settings.target, 'it has no host key of a type that is known here');
  return keys.map((key) => scanned(settings, key));
}

/** The file into which a new key of this target belongs. */
export async function userKnownHosts(target: SshTarget): Promise<string> {
  return (await readSshSettings(target)).userKnownHostsFile;
}

/** Adds the lines that are not there yet; makes the file (0600) and its folder (0700). */
export async function trustHostKey(lines: readonly string[], knownHostsFile: string): Promise<void> {
  await mkdir(dirname(knownHostsFile), { recursive: true, mode: 0o700 });
  const text = await readFile(knownHostsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const present = new Set(text?.split('\n'));
  const missing = lines.filter((line) => !present.has(line));
  if (missing.length === 0) return;
  const gap = text === null || text === '' || text.endsWith('\n') ? '' : '\n';
  await appendFile(knownHostsFile, `${gap}${missing.join('\n')}\n`, { mode: 0o600 });
  if (text === null) await chmod(knownHostsFile, 0o600);
}

/** The key of one of these types, or null when the host has none of them. */
async function offeredKey(
  settings: SshSettings,
  algorithms: readonly ServerHostKeyAlgorithm[],
): Promise<Buffer | null> {
  const route = new Route();
  try {
    const sock = await socketTo(settings, route);
    return await new Promise<Buffer | null>((resolve, reject) => {
      const client = new ssh2.Client();
      route.add(() => client.destroy());
      client.on('error', (error: Error & { level?: string }) => {
        if (/no matching host key/i.test(error.message)) resolve(null);
        else if (error.level === 'client-timeout')
          reject(timedOut(settings.target, 'the key exchange', settings.connectTimeoutMs));
        else reject(unreachable(settings.target, error.message, error));
      });
      client.once('close', () => reject(unreachable(settings.target, 'the connection was closed')));
      client.connect({
        sock,
        username: settings.user,
        algorithms: { serverHostKey: [...algorithms] },
        readyTimeout: settings.connectTimeoutMs,
        hostVerifier: (key: Buffer) => {
          resolve(Buffer.from(key));
          return false;
        },
      });
    });
  } finally {
    route.close();
  }
}

function scanned(settings: SshSettings, key: Buffer): ScannedKey {
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
  const digest = createHash('sha256').update(key).digest('base64').replace(/=+$/, '');
  const name = settings.hashKnownHosts ? hashedName(settings.hostKeyName) : settings.hostKeyName;
  return { type, fingerprint: `SHA256:${digest}`, line: `${name} ${type} ${key.toString('base64')}` };
}

/** OpenSSH's form of a hashed host name: `|1|salt|HMAC-SHA1(salt, name)`, both in base64. */
function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}
