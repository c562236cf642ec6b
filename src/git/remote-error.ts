/** What git said when it could not use the user's repository -> the error that tells a person what to do. */
import { statSync } from 'node:fs';
import { stripControls } from '../gates/shorten.ts';
import { DispatchError } from '../model/error.ts';
import type { Remote } from './remote.ts';
import { GitError } from './run.ts';

const SHALLOW = /shallow/i;
const AUTH =
  /permission denied|authentication failed|could not read (?:username|password)|dubious ownership|host key verification failed|access denied|returned error: 40[13]|not authorized|unable to create temporary (?:object directory|file)|insufficient permission/i;
const UNREACHABLE =
  /could not resolve|connection (?:refused|timed out|reset|closed)|network is unreachable|no route to host|operation timed out|failed to connect|unable to access|early eof|remote end hung up|kex_exchange_identification/i;
const MISSING =
  /not (?:appear to be )?a git repository|repository .*not found|does not exist|returned error: 404/i;

/** Any failure of a command that talks to the remote. Errors that are already meant for people pass through. */
export function remoteError(error: unknown, remote: Remote): unknown {
  if (!(error instanceof GitError)) return error;
  const said = remoteWords(error.stderr);
  const detail = { where: remote.url, why: said === '' ? error.message : said, cause: error };
  const check = `git ls-remote ${shellWord(remote.url)}`;
  if (error.why === 'timeout') {
    return new DispatchError('E_REPO_UNREACHABLE', `no answer in time from ${remote.url}`, {
      ...detail,
      fix: `check with: ${check}`,
    });
  }
  if (SHALLOW.test(said)) return shallowClone(remote, said);
  if (AUTH.test(said)) {
    return new DispatchError('E_REPO_AUTH', `no permission for ${remote.url}`, {
      ...detail,
      fix: authFix(said, remote, check),
    });
  }
  if (MISSING.test(said) || (remote.kind === 'local' && !isDirectory(remote.path))) {
    return new DispatchError('E_REPO_MISSING', `no git repository at ${remote.url}`, {
      ...detail,
      fix: `correct \`repo\` in project.yaml; check with: ${check}`,
    });
  }
  if (UNREACHABLE.test(said)) {
    return new DispatchError('E_REPO_UNREACHABLE', `cannot reach ${remote.url}`, {
      ...detail,
      fix: `check the network and the address with: ${check}`,
    });
  }
  return new DispatchError('E_REPO_FAILED', `git failed on ${remote.url}`, {
    ...detail,
    fix: `see more with: ${check}`,
  });
}

export function shallowClone(remote: Remote, why: string): DispatchError {
  const copy = remote.kind === 'local' ? shellWord(remote.path) : '<its directory>';
  return new DispatchError('E_REPO_SHALLOW', `${remote.url} is a shallow clone`, {
    where: remote.url,
    why,
    fix: `git -C ${copy} fetch --unshallow`,
  });
}

function authFix(said: string, remote: Remote, check: string): string {
  if (/dubious ownership/i.test(said)) {
    // git names the very path that it compares with.
    const path = /safe\.directory (.+)$/m.exec(said)?.[1] ?? remote.url;
    return `it belongs to another user; if you trust it: git config --global --add safe.directory ${path}`;
  }
  return `make this work without a question for a password (ssh-agent, a credential helper): ${check}`;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The remote's own words for a person: no control sequences, without git's prefixes, at most a few lines. */
export function remoteWords(stderr: string): string {
  return stripControls(stderr)
    .split('\n')
    .map((line) => line.replace(/^(?:remote|fatal|error): ?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
    .slice(0, 12)
    .join('\n');
}

/** For commands that a person copies: quoted only when it must be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
