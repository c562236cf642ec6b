/**
 * Merges a task's branch, and does not take git's word for the result. A path that only the branch changed must come
 * out as the branch has it, and a path that the branch did not change must stay as it was. (A merge queue elsewhere
 * took a wrong merge base and silently undid two thousand merged changes while all its checks were green.)
 *
 * The one good reason for another result is a rename that git followed: a change made to one file ends up in another
 * one, which the task may not be allowed to touch and whose text nobody read as changed. That is a conflict here, and
 * goes back to the agent, who sees the file under its new name.
 */
import type { ChangedPath } from '../gates/facts.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId } from '../model/ids.ts';
import { readChanged } from './facts.ts';
import type { RepoPlace } from './repo-place.ts';
import { mergeBases, type MergedTree, mergeTree, treeOf } from './merge-tree.ts';
import { decodePath, splitZ } from './paths.ts';
import { git } from './run.ts';

/**
 * The tree of `onto` and the branch together, or the paths that conflict.
 * @throws DispatchError E_MERGE_UNSOUND when the result is wrong and no rename explains it, or without common history.
 */
export async function mergeBranch(repo: RepoPlace, onto: CommitId, head: CommitId): Promise<MergedTree> {
  const bases = await mergeBases(repo, onto, head);
  if (bases.length === 0)
    throw unsound('the branch shares no history with what it is merged onto', onto, head);
  // Nothing has merged since the branch began: its own tree is the result.
  if (bases.includes(onto)) return { clean: true, tree: await treeOf(repo, head) };
  const merged = await mergeTree(repo, onto, head, 'ignore');
  if (!merged.clean) return merged;
  const odd = await unexpected(repo, bases, onto, head, merged.tree);
  if (odd.size === 0) return merged;
  const renamed = await renamesThatTouch(repo, bases, [onto, head], odd);
  if (renamed.length === 0) {
    throw unsound(`${[...odd].slice(0, 5).join(', ')}: not as the two sides say it must be`, onto, head);
  }
  return { clean: false, paths: [...new Set([...odd, ...renamed])].toSorted() };
}

/** Paths of the merged tree that are not what the two sides say. */
async function unexpected(
  repo: RepoPlace,
  bases: readonly CommitId[],
  onto: CommitId,
  head: CommitId,
  tree: string,
): Promise<Set<string>> {
  const merged = byPath(await readChanged(repo, onto, tree));
  const branch = new Map<string, ChangedPath>();
  for (const base of bases)
    for (const entry of await readChanged(repo, base, head)) branch.set(entry.path, entry);
  const odd = new Set([...merged.keys()].filter((path) => !branch.has(path)));
  const [base, ...more] = bases;
  // After criss-cross merges no single base says what each side did.
  if (base === undefined || more.length > 0) return odd;
  const ours = byPath(await readChanged(repo, base, onto));
  for (const [path, theirs] of branch) {
    const result = merged.get(path);
    if (ours.has(path)) continue;
    if (result?.newId !== theirs.newId || result.newMode !== theirs.newMode) odd.add(path);
  }
  return odd;
}

function byPath(changed: readonly ChangedPath[]): Map<string, ChangedPath> {
  return new Map(changed.map((entry) => [entry.path, entry]));
}

/** Both names of each rename, on either side since the bases, that has one of the paths. */
async function renamesThatTouch(
  repo: RepoPlace,
  bases: readonly CommitId[],
  sides: readonly CommitId[],
  paths: ReadonlySet<string>,
): Promise<string[]> {
  const touched: string[] = [];
  for (const base of bases) {
    for (const side of sides) {
      const { stdout } = await git(
        ['diff-tree', '-r', '-z', '-M', '--raw', '--no-abbrev', '--diff-filter=R', base, side],
        repo,
      );
      const fields = splitZ(stdout).map(decodePath);
      for (let at = 0; at + 2 < fields.length; at += 3) {
        const names = [fields[at + 1] ?? '', fields[at + 2] ?? ''];
        if (names.some((name) => paths.has(name))) touched.push(...names);
      }
    }
  }
  return touched;
}

function unsound(why: string, onto: CommitId, head: CommitId): DispatchError {
  return new DispatchError(
    'E_MERGE_UNSOUND',
    `the merge of ${head.slice(0, 12)} onto ${onto.slice(0, 12)} cannot be trusted`,
    { why },
  );
}
