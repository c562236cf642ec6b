/**
 * Reads from git objects what a branch did. Nothing in the branch can blind this: `.gitattributes` that call a file
 * binary or name a text conversion are overruled on the command line, NUL bytes are dropped from the text that gates
 * read (so UTF-16 does not hide a word), names come through exactly, and what is too large to read is said to be so.
 *
 * Two views of the same two trees: the raw list without renames, because both sides of a rename count as changed; and
 * a patch with renames and without context, because a line that only moved with its file is not an added line.
 */
import type { AddedLine, BranchFacts, ChangedPath, LinkTarget, WholeFile } from '../gates/facts.ts';
import { isManifest } from '../gates/manifests.ts';
import type { CommitId } from '../model/ids.ts';
import { readGateFiles } from './gate-files.ts';
import { readAddedLines } from './patch.ts';
import { decodePath, splitZ } from './paths.ts';
import type { RepoPlace } from './repo-place.ts';
import { git, GitError } from './run.ts';

/** A side of a changed file larger than this is not read, bytes. */
const LARGEST_FILE = 8 * 1024 * 1024;
/** All sides together, bytes; files past it are not read. */
const LARGEST_BRANCH = 40 * 1024 * 1024;
/** More files than this left out one by one would not fit a command line: then none is read. */
const MOST_LEFT_OUT = 1000;
/** No path of any system is longer; a longer link leads nowhere and is not read, bytes. */
const LONGEST_LINK = 4096;

const LINK_MODE = '120000';
const SUBMODULE_MODE = '160000';

/**
 * What lies between two commits, as the gates want it. `base` is an ancestor of `head`; `commits` counts what `head` has
 * and `base` has not. Paths in `binary` have content that is not text or was too large to read: up to 8 MiB for a file,
 * 40 MiB and half a million lines for a branch. Lines of a text file among them may still be in `added`. `commands`
 * are those whose own files are looked up at the base.
 * @throws GitError when a commit is missing or an object is damaged.
 */
export async function readFacts(
  repo: RepoPlace,
  base: CommitId,
  head: CommitId,
  ...commands: readonly (string | null)[]
): Promise<BranchFacts> {
  const changed = await readChanged(repo, base, head);
  const sizes = await readSizes(repo, changed);
  const unread = tooLarge(changed, sizes);
  const [lines, texts, commits, gateFiles] = await Promise.all([
    readLines(repo, base, head, changed, unread),
    readBlobs(repo, readWhole(changed, sizes)),
    countCommits(repo, base, head),
    Promise.all(commands.map((verify) => readGateFiles(repo, base, verify))),
  ]);
  const binary = new Set([...unread, ...lines.binary]);
  return {
    changed,
    added: lines.added,
    commits,
    binary: changed.filter(({ path }) => binary.has(path)).map(({ path }) => path),
    links: linksOf(changed, sizes, texts),
    sizes: new Map(
      changed.flatMap(({ path, newId }) => {
        const bytes = sizes.get(newId);
        return bytes === undefined ? [] : [[path, bytes]];
      }),
    ),
    unread: changed.filter(({ path }) => unread.has(path)).map(({ path }) => path),
    pointers: changed.filter((change) => isPointer(change, texts)).map(({ path }) => path),
    manifests: manifestsOf(changed, texts),
    gateFiles: [...new Set(gateFiles.flat())],
  };
}

/** Every path that differs between two trees or commits, without renames: one entry for each side. */
export async function readChanged(repo: RepoPlace, from: string, to: string): Promise<ChangedPath[]> {
  const { stdout } = await git(
    ['diff-tree', '-r', '--raw', '-z', '--no-renames', '--no-abbrev', '--end-of-options', from, to],
    repo,
  );
  const fields = splitZ(stdout);
  const changed: ChangedPath[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    changed.push(rawEntry((fields[at] as Buffer).toString('latin1'), fields[at + 1] as Buffer));
  }
  return changed;
}

/** `:<old mode> <new mode> <old id> <new id> <status>` */
function rawEntry(meta: string, name: Buffer): ChangedPath {
  const [oldMode, newMode, oldId, newId, status] = meta.slice(1).split(' ');
  if (!oldMode || !newMode || !oldId || !newId || !isStatus(status)) {
    throw new Error(`git diff-tree said something unexpected: ${JSON.stringify(meta)}`);
  }
  return { status, path: decodePath(name), oldPath: null, oldMode, newMode, oldId, newId };
}

function isStatus(text: string | undefined): text is ChangedPath['status'] {
  return text !== undefined && /^[AMDT]$/.test(text);
}

/** Sizes of all blobs on either side; submodules have none. */
async function readSizes(
  repo: RepoPlace,
  changed: readonly ChangedPath[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Set<string>();
  for (const entry of changed) {
    if (isBlob(entry.oldMode)) ids.add(entry.oldId);
    if (isBlob(entry.newMode)) ids.add(entry.newId);
  }
  if (ids.size === 0) return new Map();
  const { stdout } = await git(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    ...repo,
    input: `${[...ids].join('\n')}\n`,
  });
  const sizes = new Map<string, number>();
  for (const line of stdout.toString('latin1').trimEnd().split('\n')) {
    const [id, size] = line.split(' ');
    if (id === undefined || !/^\d+$/.test(size ?? '')) throw new Error(`object is missing: ${line}`);
    sizes.set(id, Number(size));
  }
  return sizes;
}

function isBlob(mode: string): boolean {
  return mode !== '000000' && mode !== SUBMODULE_MODE;
}

/** Paths that are not read: too large alone, or past what is read of one branch. */
function tooLarge(changed: readonly ChangedPath[], sizes: ReadonlyMap<string, number>): Set<string> {
  const unread = new Set<string>();
  let total = 0;
  for (const entry of changed) {
    if (entry.status === 'D') continue;
    const bytes = (sizes.get(entry.oldId) ?? 0) + (sizes.get(entry.newId) ?? 0);
    const largest = Math.max(sizes.get(entry.oldId) ?? 0, sizes.get(entry.newId) ?? 0);
    if (largest > LARGEST_FILE || total + bytes > LARGEST_BRANCH) unread.add(entry.path);
    else total += bytes;
  }
  return unread;
}

async function readLines(
  repo: RepoPlace,
  base: CommitId,
  head: CommitId,
  changed: readonly ChangedPath[],
  unread: ReadonlySet<string>,
): Promise<{ added: AddedLine[]; binary: Set<string> }> {
  const everything = { added: [], binary: new Set(changed.map(({ path }) => path)) };
  if (changed.length === 0 || unread.size > MOST_LEFT_OUT) return everything;
  try {
    const { stdout } = await git(
      [
        'diff-tree',
        '-r',
        '-p',
        '-U0',
        '--inter-hunk-context=0',
        '-a',
        '-M',
        '-l400',
        '--irreversible-delete',
        '--diff-filter=ACMRT',
        '--submodule=short',
        '--no-color',
        '--no-textconv',
        '--no-ext-diff',
        '--src-prefix=a/',
        '--dst-prefix=b/',
        '--end-of-options',
        base,
        head,
        '--',
        ...[...unread].map((path) => `:(top,exclude,literal)${path}`),
      ],
      repo,
    );
    return readAddedLines(stdout);
  } catch (error) {
    if (error instanceof GitError && error.why === 'too-much-output') return everything;
    throw error;
  }
}

/** The blobs that are looked at whole: links, what may be a Git LFS pointer, and manifests; ids, each once. */
function readWhole(changed: readonly ChangedPath[], sizes: ReadonlyMap<string, number>): string[] {
  const ids = new Set<string>();
  for (const { path, oldMode, newMode, oldId, newId } of changed) {
    if (newMode === LINK_MODE) {
      if ((sizes.get(newId) ?? 0) <= LONGEST_LINK) ids.add(newId);
      continue;
    }
    for (const [mode, id] of [
      [oldMode, oldId],
      [newMode, newId],
    ] as const) {
      const size = isBlob(mode) ? sizes.get(id) : undefined;
      if (size === undefined) continue;
      const pointer = size >= SHORTEST_POINTER && size <= LONGEST_POINTER;
      if (pointer || (isManifest(path) && size <= LARGEST_MANIFEST)) ids.add(id);
    }
  }
  return [...ids];
}

/** A pointer is three short lines; the specification allows 1,024 bytes. */
const SHORTEST_POINTER = 100;
const LONGEST_POINTER = 1024;
const LARGEST_MANIFEST = 1024 * 1024;

/** Targets of the links that are new or changed, in the order of the paths. */
function linksOf(
  changed: readonly ChangedPath[],
  sizes: ReadonlyMap<string, number>,
  texts: ReadonlyMap<string, string>,
): LinkTarget[] {
  return changed
    .filter(({ newMode }) => newMode === LINK_MODE)
    .map(({ path, newId }) => ({
      path,
      // A target that no system follows is as bad as one that leaves the tree, and is shown as such.
      target: texts.get(newId) ?? `/(${sizes.get(newId) ?? 0} bytes, longer than any path)`,
    }));
}

/** True when either side is a Git LFS pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
function isPointer({ oldId, newId }: ChangedPath, texts: ReadonlyMap<string, string>): boolean {
  return [oldId, newId].some((id) =>
    /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\//.test(texts.get(id) ?? ''),
  );
}

function manifestsOf(changed: readonly ChangedPath[], texts: ReadonlyMap<string, string>): WholeFile[] {
  return changed
    .filter(({ path }) => isManifest(path))
    .map(({ path, oldMode, newMode, oldId, newId }) => ({
      path,
      before: isBlob(oldMode) ? (texts.get(oldId) ?? '') : null,
      after: isBlob(newMode) ? (texts.get(newId) ?? '') : null,
    }));
}

/** Small blobs by id, as text. */
async function readBlobs(repo: RepoPlace, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  if (ids.length === 0) return texts;
  const { stdout } = await git(['cat-file', '--batch=%(objectname) %(objectsize)'], {
    ...repo,
    input: `${[...new Set(ids)].join('\n')}\n`,
  });
  let at = 0;
  while (at < stdout.length) {
    const end = stdout.indexOf(0x0a, at);
    const [id, size] = stdout.toString('latin1', at, end).split(' ');
    if (id === undefined || !/^\d+$/.test(size ?? '')) throw new Error('object is missing');
    const from = end + 1;
    texts.set(id, decodePath(stdout.subarray(from, from + Number(size))));
    at = from + Number(size) + 1;
  }
  return texts;
}

async function countCommits(repo: RepoPlace, base: CommitId, head: CommitId): Promise<number> {
  const { stdout } = await git(['rev-list', '--count', '--end-of-options', `${base}..${head}`], repo);
  return Number(stdout.toString('latin1'));
}
