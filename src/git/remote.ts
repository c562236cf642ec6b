/** What `repo` in project.yaml names: a directory on this machine or a URL that git can fetch from and push to. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DispatchError } from '../model/error.ts';
import type { GitProtocol } from './run.ts';

export type Remote =
  | { readonly kind: 'local'; readonly url: string; readonly path: string }
  | { readonly kind: 'network'; readonly url: string; readonly protocols: readonly GitProtocol[] };

/**
 * Reads a path, `file://`, `ssh://`, `https://`, `http://` URL, or `host:path`. A relative path counts from the current
 * directory, `~/` from the user's home.
 * @throws DispatchError E_REPO_MISSING for an address of any other kind (`ext::` would run a command).
 */
export function parseRemote(repo: string): Remote {
  if (/^file:\/\//i.test(repo)) return { kind: 'local', url: repo, path: filePath(repo) };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repo)?.[1]?.toLowerCase();
  if (scheme !== undefined) return network(repo, scheme);
  if (/^[a-z0-9][a-z0-9+.-]*::/i.test(repo)) throw unsupported(repo);
  // git reads `host:path` as ssh when no slash comes before the colon.
  if (/^[^/:\s]+:/.test(repo)) return network(repo, 'ssh');
  const path = resolve(repo.startsWith('~/') ? `${homedir()}${repo.slice(1)}` : repo);
  return { kind: 'local', url: path, path };
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw unsupported(url, cause);
  }
}

/** `insteadOf` in the user's configuration may turn one network protocol into another; plain http only if it was typed. */
function network(url: string, scheme: string): Remote {
  if (scheme === 'ssh' || scheme === 'git+ssh' || scheme === 'https') {
    return { kind: 'network', url, protocols: ['ssh', 'https'] };
  }
  if (scheme === 'http') return { kind: 'network', url, protocols: ['ssh', 'https', 'http'] };
  throw unsupported(url);
}

function unsupported(repo: string, cause?: unknown): DispatchError {
  return new DispatchError('E_REPO_MISSING', `not an address of a repository: ${JSON.stringify(repo)}`, {
    fix: 'in project.yaml, `repo` is a path, or an ssh://, https:// or file:// URL, or host:path',
    cause,
  });
}
