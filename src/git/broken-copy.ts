/** The copy of a commit on which a gate has to go red, and the fingerprint that says when it has to show that again. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { brokenText, isHarness } from '../gates/control.ts';
import type { CommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { readGateFiles, readRunFiles } from './gate-files.ts';
import { commitTree, treeOf } from './merge-tree.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

export interface BrokenCopy {
  readonly commit: CommitId;
  readonly tree: string;
  /** How many files are not what they were. */
  readonly files: number;
}

/** A tree of a large repository is listed and written whole. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * A commit on top of `base` in which everything is broken that the command judges and does not run itself. No branch
 * points to it.
 * @param keep further paths that stay as they are.
 * @param indexFile a path for a temporary file.
 */
export async function breakCopy(
  repo: RepoPlace,
  base: CommitId,
  verify: string,
  { keep, indexFile }: { readonly keep: readonly string[]; readonly indexFile: string },
): Promise<BrokenCopy> {
  const kept = new Set([...(await readRunFiles(repo, base, verify)), ...keep]);
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', base], {
    ...repo,
    maxBytes: MOST_BYTES,
  });
  const rubbish = new Map<string, string>();
  const lines: Buffer[] = [];
  let files = 0;
  for (const entry of splitZ(stdout)) {
    const tab = entry.indexOf('\t');
    const [mode = '', , id = ''] = entry.toString('latin1', 0, tab).split(' ');
    const name = entry.subarray(tab + 1);
    const path = decodePath(name);
    const regular = mode === '100644' || mode === '100755';
    const breaks = regular && !kept.has(path) && !isHarness(path);
    if (breaks) files += 1;
    const now = breaks ? await rubbishOf(repo, brokenText(path), rubbish) : id;
    lines.push(Buffer.from(`${mode} ${now}\t`), name, ZERO);
  }
  await rm(indexFile, { force: true });
  try {
    const index = { ...repo, indexFile, input: Buffer.concat(lines) };
    await git(['update-index', '-z', '--index-info'], index);
    const tree = (await git(['write-tree'], { ...repo, indexFile })).stdout.toString('latin1').trim();
    const commit = await commitTree(repo, tree, [base], `Broken on purpose, to try the gate\n`);
    return { commit, tree, files };
  } finally {
    await rm(indexFile, { force: true });
  }
}

const ZERO = Buffer.from([0]);

/** Id of the text as a blob, written when it is first asked for. */
async function rubbishOf(repo: RepoPlace, text: string, known: Map<string, string>): Promise<string> {
  const before = known.get(text);
  if (before !== undefined) return before;
  const { stdout } = await git(['hash-object', '-w', '--stdin'], { ...repo, input: text });
  const id = stdout.toString('latin1').trim();
  known.set(text, id);
  return id;
}

export interface InspectedGates {
  readonly tree: string;
  /** For each command the fingerprint of its own files: names, modes and content. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths of all of them, and of those that would be taken before them if they existed. */
  readonly paths: readonly string[];
}

/** What the gates are at the commit. */
export async function inspectGates(
  repo: RepoPlace,
  commit: CommitId,
  commands: readonly string[],
): Promise<InspectedGates> {
  const files: Record<string, string> = {};
  const all = new Set<string>();
  for (const verify of commands) {
    const paths = await readGateFiles(repo, commit, verify);
    files[verify] = await fingerprint(repo, commit, paths);
    for (const path of paths) all.add(path);
  }
  return { tree: await treeOf(repo, commit), files, paths: [...all] };
}

async function fingerprint(repo: RepoPlace, commit: CommitId, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(paths));
  if (paths.length > 0) {
    const { stdout } = await git(
      ['ls-tree', '-z', '--full-tree', '--end-of-options', commit, '--', ...paths],
      { gitDir: repo.gitDir, env: { ...repo.env, GIT_LITERAL_PATHSPECS: '1' } },
    );
    hash.update(stdout);
  }
  return hash.digest('hex').slice(0, 16);
}
