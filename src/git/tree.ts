/**
 * Trees for attempts, on a node. Three repositories take part, and none trusts the next:
 *
 *   the mirror     bare, one per project, filled by the controller alone; everything else borrows its objects
 *   our own        one per attempt, beside the tree: index, snapshots, facts. git runs with this one only
 *   the agent's    `.git` inside the tree, for the agent; it is written here and later read as plain text, never run in
 *
 * The two small ones are written by hand, file by file: `git init` would cost a process each and bring templates.
 *
 * A warm tree keeps the files of an attempt before. It is brought to a new commit by an index of ours that lay outside
 * of it (an agent's index may say that changed files are not to be looked at), then looked through once: whatever git
 * does not see or would not mend (a repository inside, a hard link, a pipe, odd modes) sends the whole tree away, and a
 * cold one is made instead. 5,000 files: bench/slot.ts has the figures.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { CommitId } from '../model/ids.ts';
import { git } from './run.ts';
import { outlivingLock } from './stale-lock.ts';

const run = promisify(execFile);

/** A working tree and what git needs to look at it without its `.git`. Absolute real paths. */
export interface TreePlace {
  /** Repository of ours, outside of the tree. */
  readonly gitDir: string;
  readonly index: string;
  readonly tree: string;
}

/** Overrules every attribute in the tree that would run a program or change what is read; line ends stay the project's affair. */
const ATTRIBUTES = '* !filter !working-tree-encoding !ident !diff !merge !export-subst\n';

/** Makes a repository without objects of its own that borrows the mirror's. Harmless when it is there. */
export function makeBorrowing(gitDir: string, mirror: string, like: CommitId): void {
  makeRepository(gitDir, like, '[core]\n\tbare = false\n', 'refs/heads/none');
  writeFileSync(`${gitDir}/objects/info/alternates`, `${mirror}/objects\n`);
}

/**
 * Files of the commit and nothing else, in a directory that may hold a tree of before, whose index then is `index`.
 * There is no `.git` in it afterwards. Returns false when the old tree held something that git cannot mend; the
 * directory then is as it was found or worse, and the caller begins with an empty one.
 * @throws GitError when the commit is not there, or the disk is full.
 */
export async function checkoutWarm(place: TreePlace, commit: CommitId): Promise<boolean> {
  try {
    needTree(place.tree);
    await rm(`${place.tree}/.git`, { recursive: true, force: true });
    await checkout(place, commit);
    await git(['clean', '-ffdxq'], inTree(place));
  } catch {
    return false;
  }
  return await isPlain(place.tree);
}

/** The same into an empty directory, which is made. */
export async function checkoutCold(place: TreePlace, commit: CommitId): Promise<void> {
  await rm(place.tree, { recursive: true, force: true });
  rmSync(place.index, { force: true });
  mkdirSync(place.tree, { recursive: true });
  await checkout(place, commit);
}

export interface AgentRepository {
  readonly mirror: string;
  readonly base: CommitId;
  /** Branch that HEAD names, without `refs/heads/`. */
  readonly branch: string;
  /** What an earlier attempt had made; it becomes `refs/dispatch/previous`. */
  readonly previous: CommitId | null;
  /** Whose name is on the commits. */
  readonly author: string;
}

/** Writes the agent's own `.git` into the tree: on its branch, at the base, with nothing to commit. */
export function makeAgentRepository(place: TreePlace, repository: AgentRepository): void {
  const gitDir = `${place.tree}/.git`;
  const { base, branch, previous, author } = repository;
  const config = `[core]\n\tbare = false\n\tlogAllRefUpdates = true\n[user]\n\tname = ${author}\n\temail = ${author.replaceAll(/[^A-Za-z0-9._/-]/g, '-')}@dispatch.invalid\n[gc]\n\tauto = 0\n`;
  makeRepository(gitDir, base, config, `refs/heads/${branch}`);
  writeFileSync(`${gitDir}/objects/info/alternates`, `${repository.mirror}/objects\n`);
  writeRef(gitDir, `refs/heads/${branch}`, base);
  if (previous !== null) writeRef(gitDir, 'refs/dispatch/previous', previous);
  copyFileSync(place.index, `${gitDir}/index`);
}

/** A repository written by hand: what `git init --bare` makes, without its template. */
export function makeRepository(gitDir: string, like: CommitId, config: string, head: string): void {
  for (const dir of ['objects/info', 'objects/pack', 'refs/heads', 'info'])
    mkdirSync(`${gitDir}/${dir}`, { recursive: true });
  const long = like.length === 64;
  const format = `[core]\n\trepositoryformatversion = ${long ? 1 : 0}\n${long ? '[extensions]\n\tobjectformat = sha256\n' : ''}`;
  // What `git init` finds out by trying: case and composition of names on macOS.
  const system =
    process.platform === 'darwin' ? '[core]\n\tignorecase = true\n\tprecomposeunicode = true\n' : '';
  writeFileSync(`${gitDir}/config`, format + system + config);
  writeFileSync(`${gitDir}/info/attributes`, ATTRIBUTES);
  writeFileSync(`${gitDir}/HEAD`, `ref: ${head}\n`);
}

export function writeRef(gitDir: string, ref: string, commit: CommitId): void {
  mkdirSync(dirname(`${gitDir}/${ref}`), { recursive: true });
  writeFileSync(`${gitDir}/${ref}`, `${commit}\n`);
}

/**
 * Stops before git is let loose on a directory that is no longer the tree: a link that an agent put in its place would
 * have us read, or clean away, whatever it leads to.
 * @throws Error naming the path.
 */
export function needTree(tree: string): void {
  if (lstatSync(tree, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`${tree} is not a directory (any more)`);
}

/** `reset --hard` without a HEAD to move: files that differ from the index or the commit are written anew. */
async function checkout(place: TreePlace, commit: CommitId): Promise<void> {
  const read = ['read-tree', '--reset', '-u', commit];
  await outlivingLock(place.gitDir, () => git(read, inTree(place)));
}

export function inTree(place: TreePlace): {
  gitDir: string;
  workTree: string;
  indexFile: string;
  cwd: string;
} {
  return { gitDir: place.gitDir, workTree: place.tree, indexFile: place.index, cwd: place.tree };
}

/** Only directories, links and files of our own making: nothing shared, nothing special, nothing that git skips. */
async function isPlain(tree: string): Promise<boolean> {
  const odd =
    '-iname .git -o -type f -links +1 -o -type f ! -perm 644 ! -perm 755 -o -type d ! -perm 755 -o ! -type f ! -type d ! -type l';
  const { stdout } = await run('find', [tree, '-mindepth', '1', '(', ...odd.split(' '), ')', '-print'], {
    maxBuffer: 1024 * 1024,
    encoding: 'latin1',
  }).catch(() => ({ stdout: 'unreadable' }));
  return stdout === '';
}
