/**
 * Connection settings of an ssh target, as `ssh -G` resolves them: Include, Match exec, tokens and defaults are
 * OpenSSH's own work. We never parse an ssh configuration file.
 */
import { homedir, hostname, userInfo } from 'node:os';
import { DispatchError } from '../model/error.ts';
import { run } from './child.ts';
import type { Door } from './transport.ts';

/** What a user names: an alias (or `user@host`) and, if not the user's own, the configuration file that knows it. */
export interface SshTarget {
  readonly target: string;
  readonly configFile: string | null;
}

export interface SshSettings extends SshTarget {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Name in the files of known hosts, as ssh-keygen -F takes it: `host` or `[host]:port`. */
  readonly hostKeyName: string;
  readonly knownHostsFiles: readonly string[];
  /** The file to which a new host key is written. */
  readonly userKnownHostsFile: string;
  readonly hashKnownHosts: boolean;
  /** Identity files with `~` and tokens expanded; they need not exist. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the ssh agent; null when there is none or it is switched off. */
  readonly agent: string | null;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress: string | null;
  readonly connectTimeoutMs: number;
  /** Jump hosts in the order in which they are passed. */
  readonly proxyJump: readonly string[];
  /** Command with its tokens expanded, to be given to a shell. */
  readonly proxyCommand: string | null;
  /** Everything `ssh -G` printed: lower-case key -> values in order. */
  readonly raw: ReadonlyMap<string, readonly string[]>;
}

const TARGET =
  /^(?:ssh:\/\/)?[A-Za-z0-9_.][A-Za-z0-9_.%+-]*(?:@[A-Za-z0-9_.[:][A-Za-z0-9_.:%[\]-]*)?(?::[0-9]+)?\/?$/;
/** `ssh -G` takes 10 ms; `Match exec` in the user's configuration may take longer. */
const RESOLVE_MS = 10_000;
const DEFAULT_CONNECT_MS = 15_000;

/** @throws DispatchError E_SSH_ALIAS for a target that ssh could read as an option or a shell as code. */
export function checkTarget(target: string): void {
  if (TARGET.test(target) && target.length <= 255) return;
  throw new DispatchError('E_SSH_ALIAS', `${JSON.stringify(target)} is not a usable ssh target`, {
    why: target.startsWith('-')
      ? 'it begins with a dash: ssh would read it as an option'
      : 'only letters, digits and . _ - @ : [ ] % are allowed',
    fix: 'give the machine an alias in ~/.ssh/config and name that alias in nodes.json',
  });
}

/** Arguments that name the target to ssh: after `--`, so that it is never an option. */
export function targetArguments(target: SshTarget): string[] {
  return [...(target.configFile === null ? [] : ['-F', target.configFile]), '--', target.target];
}

/** @throws DispatchError E_SSH_ALIAS, or E_SSH_CONFIG when ssh cannot read its configuration. */
export async function readSshSettings(target: SshTarget): Promise<SshSettings> {
  checkTarget(target.target);
  const result = await run('ssh', ['-G', ...targetArguments(target)], RESOLVE_MS);
  if (result.failed === 'ENOENT')
    throw new DispatchError('E_SSH_CONFIG', 'there is no ssh program here', {
      fix: 'install the OpenSSH client (apt install openssh-client)',
    });
  if (result.code !== 0)
    throw new DispatchError('E_SSH_CONFIG', `ssh -G cannot resolve ${target.target}`, {
      why: result.failed === 'ETIMEDOUT' ? 'it did not end within 10 s' : result.stderr.trim(),
      fix: `run it to see the line that is wrong: ssh -G ${targetArguments(target).join(' ')}`,
    });
  return settingsFrom(target, parseResolved(result.stdout));
}

/** The machine's own ssh port, when nothing stands in between. */
export function doorOf({ hostname, port, proxyJump, proxyCommand }: SshSettings): Door | null {
  return proxyJump.length === 0 && proxyCommand === null ? { host: hostname, port } : null;
}

/** The output of `ssh -G` as a map; keys that come several times keep all values in order. */
export function parseResolved(text: string): Map<string, string[]> {
  const raw = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const key = line.slice(0, space).toLowerCase();
    const values = raw.get(key) ?? [];
    values.push(line.slice(space + 1));
    raw.set(key, values);
  }
  return raw;
}

/** @throws DispatchError E_SSH_CONFIG when the host or port is unusable. */
export function settingsFrom(target: SshTarget, raw: ReadonlyMap<string, readonly string[]>): SshSettings {
  const one = (key: string): string | null => {
    const value = raw.get(key)?.[0];
    return value === undefined || value === 'none' ? null : value;
  };
  const host = (one('hostname') ?? target.target).toLowerCase();
  const port = Number(one('port') ?? 22);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new DispatchError(
      'E_SSH_CONFIG',
      `${target.target} has port ${one('port')} in the ssh configuration`,
    );
  const user = one('user') ?? userInfo().username;
  const alias = one('hostkeyalias');
  const tokens = tokensOf({ host, port, user, alias, typed: one('host') ?? target.target });
  const userFiles = words(one('userknownhostsfile') ?? '').map((file) => expand(file, tokens));
  const globalFiles = words(one('globalknownhostsfile') ?? '').map((file) => expand(file, tokens));
  const timeout = Number(one('connecttimeout') ?? Number.NaN);
  const command = one('proxycommand');
  return {
    ...target,
    hostname: host,
    port,
    user,
    hostKeyName: alias ?? (port === 22 ? host : `[${host}]:${port}`),
    knownHostsFiles: [...userFiles, ...globalFiles],
    userKnownHostsFile: userFiles[0] ?? `${homedir()}/.ssh/known_hosts`,
    hashKnownHosts: one('hashknownhosts') === 'yes',
    identityFiles: (raw.get('identityfile') ?? [])
      .filter((file) => file !== 'none')
      .map((file) => expand(unquote(file), tokens)),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentSocket(raw.get('identityagent')?.[0], tokens),
    addressFamily:
      one('addressfamily') === 'inet' ? 'inet' : one('addressfamily') === 'inet6' ? 'inet6' : 'any',
    bindAddress: one('bindaddress'),
    connectTimeoutMs: timeout > 0 ? timeout * 1000 : DEFAULT_CONNECT_MS,
    proxyJump: (one('proxyjump') ?? '').split(',').filter((hop) => hop !== ''),
    proxyCommand: command === null ? null : expandTokens(command, tokens),
    raw,
  };
}

/** What a path or command holds that is not expanded here: an unknown token, another user's home; null: nothing. */
export function beyondUs(text: string): string | null {
  const token = text.match(/%./g)?.find((found) => !KNOWN_TOKENS.has(found));
  return token ?? /^"?(~[^/"\s]+)/.exec(text)?.[1] ?? null;
}

/** Tokens of ssh_config(5) that we expand ourselves, `%h` and the like; `ssh -G` prints them as they were written. */
const KNOWN_TOKENS = new Set(['%%', '%h', '%p', '%r', '%n', '%k', '%u', '%d', '%l', '%L', '%i']);

type Tokens = ReadonlyMap<string, string>;

function tokensOf(of: {
  host: string;
  port: number;
  user: string;
  alias: string | null;
  typed: string;
}): Tokens {
  const me = userInfo();
  return new Map([
    ['%%', '%'],
    ['%h', of.host],
    ['%p', String(of.port)],
    ['%r', of.user],
    ['%n', of.typed],
    ['%k', of.alias ?? of.host],
    ['%u', me.username],
    ['%d', homedir()],
    ['%l', hostname()],
    ['%L', hostname().split('.')[0] ?? ''],
    ['%i', String(me.uid)],
  ]);
}

/** `ssh -G` prints paths as they were written: variables, home and tokens are still to be expanded. */
function expand(path: string, tokens: Tokens): string {
  const variables = path.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => process.env[name] ?? whole);
  return expandTokens(variables.replace(/^~(?=\/|$)/, homedir()), tokens);
}

function expandTokens(text: string, tokens: Tokens): string {
  return text.replaceAll(/%./g, (token) => tokens.get(token) ?? token);
}

function agentSocket(configured: string | undefined, tokens: Tokens): string | null {
  if (configured === 'none') return null;
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK ?? null;
  if (configured.startsWith('$')) return process.env[configured.replace(/^\$\{?([^}]*)\}?$/, '$1')] ?? null;
  return expand(unquote(configured), tokens);
}

function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}

function unquote(text: string): string {
  return text.replace(/^"(.*)"$/, '$1');
}
