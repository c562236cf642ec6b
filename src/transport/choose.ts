import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { assertNever } from '../model/assert.ts';
import type { NodeConfig, NodeReach } from '../model/spec.ts';
import { CommandTransport } from './command.ts';
import { knownKeys } from './known-hosts.ts';
import { LocalTransport } from './local.ts';
import { OpenSshTransport } from './openssh.ts';
import { beyondUs, readSshSettings, type SshSettings } from './ssh-settings.ts';
import { Ssh2Transport } from './ssh2.ts';
import { jumpSettings } from './ssh2-login.ts';
import type { Transport } from './transport.ts';

export interface Choice {
  readonly kind: 'local' | 'command' | 'ssh2' | 'openssh';
  readonly transport: Transport;
  /** One line for `nodes explain`: why this one. */
  readonly reason: string;
}

/**
 * How a node is reached. Reads the ssh configuration anew each time, so an edit counts at the next connection.
 * @throws DispatchError E_SSH_ALIAS or E_SSH_CONFIG.
 */
export async function chooseTransport(config: NodeConfig): Promise<Choice> {
  const { reach } = config;
  switch (reach.by) {
    case 'local':
      return { kind: 'local', transport: new LocalTransport(), reason: 'the node is this machine' };
    case 'command':
      return {
        kind: 'command',
        transport: new CommandTransport(reach.command),
        reason: 'nodes.json gives a command that leads to the node',
      };
    case 'ssh':
      return chooseSsh(reach);
    default:
      return assertNever(reach);
  }
}

async function chooseSsh(reach: Extract<NodeReach, { by: 'ssh' }>): Promise<Choice> {
  const settings = await readSshSettings(reach);
  const openssh = (reason: string): Choice => ({
    kind: 'openssh',
    transport: new OpenSshTransport(settings, reach.socket),
    reason,
  });
  if (reach.transport === 'openssh') return openssh('nodes.json says "transport": "openssh"');
  const ssh2 = new Ssh2Transport(settings);
  if (reach.transport === 'ssh2')
    return { kind: 'ssh2', transport: ssh2, reason: 'nodes.json says "transport": "ssh2"' };
  if (reach.socket !== null)
    return openssh('nodes.json gives a control socket, which only system ssh can use');
  const beyond = await beyondSsh2(settings);
  if (beyond !== null) return openssh(`the ssh configuration needs what ssh2 cannot do: ${beyond}`);
  return { kind: 'ssh2', transport: ssh2, reason: 'the ssh configuration needs nothing that ssh2 cannot do' };
}

/** What in the settings only OpenSSH can do, in words; null when ssh2 can do it all. Jump hosts count as well. */
async function beyondSsh2(settings: SshSettings, hops = 0): Promise<string | null> {
  const own = configured(settings) ?? (await keyFiles(settings)) ?? (await authorities(settings));
  if (own !== null) return own;
  if (settings.proxyCommand !== null || settings.proxyJump.length === 0 || hops > 8) return null;
  const jump = await jumpSettings(settings);
  const there = await beyondSsh2(jump, hops + 1);
  return there === null ? null : `${there} (for the jump host ${jump.target})`;
}

/** Keys whose mere presence needs OpenSSH. */
const ONLY_OPENSSH: readonly (readonly [key: string, what: string])[] = [
  ['pkcs11provider', 'PKCS11Provider'],
  ['certificatefile', 'CertificateFile'],
  ['knownhostscommand', 'KnownHostsCommand'],
  ['revokedhostkeys', 'RevokedHostKeys'],
  ['bindinterface', 'BindInterface'],
];

function configured(settings: SshSettings): string | null {
  const value = (key: string): string => settings.raw.get(key)?.[0] ?? '';
  for (const [key, what] of ONLY_OPENSSH) if (value(key) !== '' && value(key) !== 'none') return what;
  const provider = value('securitykeyprovider');
  if (provider !== '' && provider !== 'internal' && provider !== 'none') return 'SecurityKeyProvider';
  const preferred = value('preferredauthentications');
  const keysOff = /^(?:no|false)$/.test(value('pubkeyauthentication'));
  if (keysOff || (preferred !== '' && !preferred.split(',').includes('publickey')))
    return value('gssapiauthentication') === 'yes'
      ? 'GSSAPI authentication only'
      : 'a login without public keys';
  if (value('proxyusefdpass') === 'yes') return 'ProxyUseFdpass';
  if (value('verifyhostkeydns') === 'true' || value('verifyhostkeydns') === 'yes') return 'VerifyHostKeyDNS';
  for (const [key, what] of EXPANDED) {
    if (key === 'proxycommand' && settings.proxyCommand === null) continue;
    for (const text of settings.raw.get(key) ?? []) {
      const found = text
        .split(' ')
        .map(beyondUs)
        .find((part) => part !== null);
      if (found !== undefined) return `${found} in ${what}`;
    }
  }
  return null;
}

/** Settings whose tokens are expanded by whoever uses them. */
const EXPANDED: readonly (readonly [key: string, what: string])[] = [
  ['proxycommand', 'ProxyCommand'],
  ['identityfile', 'IdentityFile'],
  ['identityagent', 'IdentityAgent'],
  ['userknownhostsfile', 'UserKnownHostsFile'],
];

/** Security keys and certificates that ssh would pick up by the name of the identity file. */
async function keyFiles(settings: SshSettings): Promise<string | null> {
  for (const file of settings.identityFiles) {
    if (existsSync(`${file}-cert.pub`)) return `the certificate ${file}-cert.pub`;
    const text = existsSync(file) ? await readFile(`${file}.pub`, 'utf8').catch(() => '') : '';
    if (text.startsWith('sk-')) return `the security key ${file}`;
  }
  return null;
}

/** A host that is known by a certificate authority, and by no key of its own. */
async function authorities(settings: SshSettings): Promise<string | null> {
  const known = await knownKeys(settings);
  const authority = known.find((key) => key.marker === 'cert-authority');
  return authority === undefined ? null : `a host certificate (@cert-authority in ${authority.file})`;
}
