/**
 * The files that a verify command runs, read at the base of a branch: what the command names, and what those files name
 * in turn. Bases and commands are few and never change, so an answer is kept.
 */
import { filesNamedBy, type NamedFile, recipesOf, scriptsOf } from '../gates/gate-files.ts';
import type { CommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

/** Files named by files named by the command; deeper is no longer what a person calls the gate. */
const DEPTH = 3;
const MOST_FILES = 200;
/** A script larger than this is not followed, bytes. */
const LARGEST_SCRIPT = 256 * 1024;
const KEPT = 64;

const known = new Map<string, Promise<readonly string[]>>();

/** Paths in the order found; those that exist at `base`, and those that would be taken before them if they existed. */
export async function readGateFiles(
  repo: RepoPlace,
  base: CommitId,
  verify: string | null,
): Promise<readonly string[]> {
  if (verify === null) return [];
  const key = JSON.stringify([repo.gitDir, base, verify]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const reading = follow(repo, base, filesNamedBy(verify, true));
  known.set(key, reading);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  // A failure is no answer: the next one asks again.
  reading.catch(() => known.delete(key));
  return reading;
}

/** Of these files only those that are run, sourced or given as a configuration; a file that a test runner is told of is not. */
export async function readRunFiles(
  repo: RepoPlace,
  base: CommitId,
  verify: string,
): Promise<readonly string[]> {
  return await follow(repo, base, filesNamedBy(verify, false));
}

async function follow(
  repo: RepoPlace,
  base: CommitId,
  first: readonly NamedFile[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  let named = first;
  for (let depth = 0; depth < DEPTH && named.length > 0; depth++) {
    const fresh = named.filter(({ path }) => !found.has(path)).slice(0, MOST_FILES);
    const blobs = await blobsAt(
      repo,
      base,
      fresh.map(({ path }) => path),
    );
    for (const { path, shadows } of fresh) if (shadows || blobs.has(path)) found.add(path);
    const texts = await Promise.all(
      [...blobs].map(async ([path, id]) => commandsOf(path, await textOf(repo, id))),
    );
    named = texts.flatMap((text) => filesNamedBy(text, false));
  }
  return [...found];
}

/** What of a file is shell: all of a script, the recipes of a Makefile, the scripts of a manifest. */
function commandsOf(path: string, text: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (/^(?:gnu)?makefile$|\.mk$/.test(name)) return recipesOf(text);
  if (name === 'package.json') return scriptsOf(text);
  const shell = /\.(?:sh|bash|zsh)$/.test(name) || /^#!.*\b(?:ba|da|z|k)?sh\b/.test(text);
  return shell ? text : '';
}

/** Ids of those of the paths that are files at the commit, small enough to be read. */
async function blobsAt(
  repo: RepoPlace,
  commit: CommitId,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const blobs = new Map<string, string>();
  if (paths.length === 0) return blobs;
  const { stdout } = await git(
    ['ls-tree', '-z', '-l', '--full-tree', '--end-of-options', commit, '--', ...paths],
    { gitDir: repo.gitDir, env: { ...repo.env, GIT_LITERAL_PATHSPECS: '1' } },
  );
  for (const entry of splitZ(stdout)) {
    const tab = entry.indexOf('\t');
    const [, type, id = ''] = entry.toString('latin1', 0, tab).split(/ +/);
    if (type === 'blob') blobs.set(decodePath(entry.subarray(tab + 1)), id);
  }
  return blobs;
}

async function textOf(repo: RepoPlace, id: string): Promise<string> {
  const { stdout: size } = await git(['cat-file', '-s', id], repo);
  if (Number(size.toString('latin1')) > LARGEST_SCRIPT) return '';
  return (await git(['cat-file', 'blob', id], repo)).stdout.toString('utf8');
}
