/** What git said when it could not use the user's repository -> the error that tells a person what to do. */
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
  if (SHALLOW.test(said)) {
    return new DispatchError('E_REPO_SHALLOW', `${remote.url} is a shallow clone`, {
      ...detail,
      fix: `git -C ${shellWord(remote.kind === 'local' ? remote.path : '<its directory>')} fetch --unshallow`,
    });
  }
  if (AUTH.test(said)) {
    return new DispatchError('E_REPO_AUTH', `no permission for ${remote.url}`, {
      ...detail,
      fix: authFix(said, remote, check),
    });
  }
  if (MISSING.test(said)) {
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

function authFix(said: string, remote: Remote, check: string): string {
  if (/dubious ownership/i.test(said) && remote.kind === 'local') {
    return `it belongs to another user; if you trust it: git config --global --add safe.directory ${shellWord(remote.path)}`;
  }
  return `make this work without a question for a password (ssh-agent, a credential helper): ${check}`;
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
