/** What the user's own repository says of itself, for the defaults of a new project. Nothing is changed in it. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type SimpleGit, simpleGit } from 'simple-git';

/** Span within which a local git has answered, or is not waited for. Milliseconds. */
const PATIENCE = 5000;

/** Top of the repository that the directory lies in; null outside of any. */
export async function enclosingRepository(directory: string): Promise<string | null> {
  return await asked(directory, (git) => git.revparse(['--show-toplevel']));
}

/** Branch that HEAD names in a repository on this machine; null for a URL, a detached HEAD, or no repository. */
export async function currentBranch(repo: string): Promise<string | null> {
  return await asked(repo, (git) => git.raw(['symbolic-ref', '--short', 'HEAD']));
}

/** A path is written absolute, because the home may be used from anywhere; a URL or `host:path` stays as it is. */
export function absoluteRepo(repo: string, cwd: string, userHome: string): string {
  const remote = /^[a-z][a-z0-9+.-]*:\/\//iu.test(repo) || /^[^/]+:/u.test(repo);
  if (remote) return repo;
  return repo === '~' || repo.startsWith('~/') ? join(userHome, repo.slice(1)) : resolve(cwd, repo);
}

/** A default that cannot be had is none: the user is asked, or the usual name is taken. */
async function asked(directory: string, ask: (git: SimpleGit) => Promise<string>): Promise<string | null> {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  try {
    const answer = await ask(simpleGit({ baseDir: directory, timeout: { block: PATIENCE } }));
    return answer.trim() === '' ? null : answer.trim();
  } catch {
    return null;
  }
}
