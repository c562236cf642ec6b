/** Why a connection over ssh failed, in our words. Both ssh transports end here, so that a person reads the same text. */
import { DispatchError } from '../model/error.ts';
import type { ChildEnd } from './child.ts';
import type { SshTarget } from './ssh-settings.ts';

export function unreachable(target: string, why: string, cause?: unknown): DispatchError {
  return new DispatchError('E_NODE_UNREACHABLE', `${target} cannot be reached`, {
    where: target,
    why,
    fix: `check that this works: ssh ${target} true`,
    cause,
  });
}

export function timedOut(target: string, what: string, afterMs: number): DispatchError {
  return new DispatchError(
    'E_NODE_TIMEOUT',
    `${target}: ${what} took longer than ${Math.round(afterMs / 1000)} s`,
    {
      where: target,
      fix: `check that this works: ssh ${target} true`,
    },
  );
}

/** @param tried what was offered, one line each, for the person who has to find the right key. */
export function authRefused(target: string, user: string, tried: readonly string[]): DispatchError {
  return new DispatchError('E_SSH_AUTH', `${target} does not let ${user} in with any of our keys`, {
    where: target,
    why: tried.length === 0 ? 'there is no key to offer' : `tried ${tried.join('; ')}`,
    fix: `ssh-copy-id ${target}, or name the right IdentityFile in the ssh configuration (with IdentitiesOnly yes, if the agent has many keys); keys with a passphrase: ssh-add`,
  });
}

/** What OpenSSH 9.8 and newer say before they close, to an address from where logins were refused. */
export const PUNISHED = /not allowed at this time/i;

export function punished(target: string, said: string): DispatchError {
  return new DispatchError('E_SSH_AUTH', `${target} takes no logins from here for a while`, {
    where: target,
    why: `it says "${said.split('\n')[0]}": so does a server (PerSourcePenalties) to an address from where logins were refused`,
    fix: `wait some minutes; then check that this works: ssh ${target} true`,
  });
}

interface Pattern {
  readonly text: RegExp;
  readonly error: (target: SshTarget, line: string, stderr: string) => DispatchError;
}

/** What OpenSSH writes to stderr before it ends with 255. First match wins; the texts are not translated. */
const OPENSSH: readonly Pattern[] = [
  {
    text: /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY DETECTED/,
    error: (target, _line, stderr) => {
      const where = /(?:Offending|revoked) .*?key in (\S+:\d+)/i.exec(stderr)?.[1];
      const remove = /ssh-keygen -f '?"?([^'"\n]+)'?"? -R '?"?([^'"\n]+)'?"?/.exec(stderr);
      const fix =
        remove === null
          ? `ssh-keygen -R '${target.target}'${where === undefined ? '' : ` -f '${where.replace(/:\d+$/, '')}'`}`
          : `ssh-keygen -R '${remove[2]}' -f '${remove[1]}'`;
      return new DispatchError(
        'E_HOST_KEY_CHANGED',
        `the host key of ${target.target} is not the recorded one, so nothing was sent to it`,
        {
          fix,
          why: 'ssh reports that the host identification has changed',
          ...(where === undefined ? {} : { where }),
        },
      );
    },
  },
  {
    text: /No .* host key is known for .* and you have requested strict checking|Host key verification failed/,
    error: (target, line) =>
      new DispatchError(
        'E_HOST_KEY_UNKNOWN',
        `no host key of ${target.target} is known, so nothing was sent to it`,
        {
          where: target.target,
          why: line,
          fix: `dispatch nodes add ${target.target}`,
        },
      ),
  },
  { text: PUNISHED, error: (target, line) => punished(target.target, line) },
  {
    text: /Permission denied|Too many authentication failures|No supported authentication methods|not allowed because not listed/,
    error: (target, line) => authRefused(target.target, 'us', [line]),
  },
  {
    text: /Bad configuration option|terminating, \d+ bad configuration|Bad owner or permissions|Can't open user config file/,
    error: (target, line) =>
      new DispatchError('E_SSH_CONFIG', `ssh does not accept its configuration for ${target.target}`, {
        why: line,
      }),
  },
  {
    text: /Could not resolve hostname|Connection refused|Connection timed out|No route to host|Network is unreachable|Connection closed by|Connection reset|kex_exchange_identification|banner exchange|Operation timed out|Unable to negotiate|Timeout, server|stdio forwarding failed|Broken pipe/,
    error: (target, line) => unreachable(target.target, line),
  },
];

/**
 * What the end of a system ssh means. 255 is ssh's own failure or a remote command that ended with 255; only what it
 * wrote tells, so an end that is not understood gives null and nothing is concluded from it.
 */
export function explainOpenSsh(target: SshTarget, end: ChildEnd): DispatchError | null {
  if (end.failed !== null)
    return new DispatchError('E_NODE_UNREACHABLE', `ssh cannot be started here (${end.failed})`, {
      fix: 'install the OpenSSH client (apt install openssh-client)',
    });
  if (end.code !== 255) return null;
  for (const { text, error } of OPENSSH) {
    const line = end.stderr.split('\n').find((row) => text.test(row));
    if (line !== undefined) return error(target, line.trim(), end.stderr);
  }
  return null;
}
