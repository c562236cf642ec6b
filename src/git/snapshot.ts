/**
 * Turns what an agent left in its tree into one commit, without running git on anything that the agent could configure.
 * The files are read through our own repository and index. Commits that the agent made itself are kept when its branch
 * still stands on the base: its HEAD and refs are read as text, and its objects as objects, which cannot execute.
 */
import { lstatSync, readFileSync } from 'node:fs';
import { type CommitId, isCommitId } from '../model/ids.ts';
import { believedGit } from './believed.ts';
import { git } from './run.ts';
import { outlivingLock } from './stale-lock.ts';
import { inTree, needTree, type TreePlace } from './tree.ts';

export interface SnapshotOrder {
  readonly base: CommitId;
  readonly message: string;
  /** Name on the commit. */
  readonly author: string;
}

/** New objects reach the disk before a result that needs them is told to anybody. */
const DURABLE = [
  '-c',
  'core.fsync=committed,loose-object,pack,pack-metadata',
  '-c',
  'core.fsyncMethod=batch',
];

/**
 * The commit of the tree as it is now, with all its objects in our repository or the mirror; null when its files are
 * those of the base, whatever was committed in between.
 * @throws GitError when the tree cannot be read (an unreadable file, a full disk); Error when it is no directory.
 */
export async function snapshot(place: TreePlace, order: SnapshotOrder): Promise<CommitId | null> {
  needTree(place.tree);
  const own = inTree(place);
  await outlivingLock(place.gitDir, () => git([...DURABLE, 'add', '-A'], own));
  const tree = text(await git([...DURABLE, 'write-tree'], own));
  const baseTree = text(await git(['rev-parse', '--verify', `${order.base}^{tree}`], own));
  if (tree === baseTree) return null;

  const tip = await keptTip(place, order);
  if (tip?.tree === tree) return tip.commit;
  const parent = tip?.commit ?? order.base;
  return text(
    await git([...DURABLE, 'commit-tree', tree, '-p', parent, '-m', order.message], {
      ...own,
      env: identity(order.author),
    }),
  ) as CommitId;
}

/**
 * The agent's own last commit where `snapshot` finds nothing changed: what it committed and took back is its work all the
 * same. Null when it committed nothing on the base.
 */
export async function takenBack(
  place: TreePlace,
  order: Pick<SnapshotOrder, 'base' | 'author'>,
): Promise<CommitId | null> {
  return (await keptTip(place, order))?.commit ?? null;
}

/** Where the agent's own commits end, with their objects in our repository; null when there are none. */
async function keptTip(
  place: TreePlace,
  { base, author }: Pick<SnapshotOrder, 'base' | 'author'>,
): Promise<{ commit: CommitId; tree: string } | null> {
  const agent = agentObjects(place.tree);
  if (agent === null) return null;
  const env = { ...identity(author), GIT_ALTERNATE_OBJECT_DIRECTORIES: agent };
  const here = { ...inTree(place), env };
  const tip = await agentTip(place, base, here);
  if (tip === null || tip.commit === base) return null;
  await git([...DURABLE, 'pack-objects', '--revs', '-q', `${place.gitDir}/objects/pack/pack`], {
    ...here,
    input: `${tip.commit}\n^${base}\n`,
  });
  return tip;
}

interface Place {
  readonly gitDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The agent's HEAD when it is a whole commit that stands on the base; anything else it did with its refs is its own affair. */
async function agentTip(
  place: TreePlace,
  base: CommitId,
  here: Place,
): Promise<{ commit: CommitId; tree: string } | null> {
  const commit = readHead(`${place.tree}/.git`);
  if (commit === null) return null;
  const stands = ['merge-base', '--is-ancestor', base, commit];
  const { code } = await believedGit(stands, { ...here, okCodes: [0, 1] });
  if (code !== 0) return null;
  const found = await believedGit(['rev-parse', '--verify', `${commit}^{tree}`], here);
  return found.code === 0 ? { commit, tree: text(found) } : null;
}

/** The commit that HEAD names, read as text: no configuration, no hooks, no worktree or alternate git directory is followed. */
export function readHead(gitDir: string): CommitId | null {
  const head = readSmall(`${gitDir}/HEAD`)?.trim() ?? '';
  if (isCommitId(head)) return head;
  const ref = /^ref: (refs\/[A-Za-z0-9._/-]+)$/.exec(head)?.[1];
  if (ref === undefined || ref.split('/').includes('..')) return null;
  const loose = readSmall(`${gitDir}/${ref}`)?.trim() ?? '';
  if (isCommitId(loose)) return loose;
  const packed = readSmall(`${gitDir}/packed-refs`)
    ?.split('\n')
    .find((line) => line.endsWith(` ${ref}`));
  const id = packed?.split(' ', 1)[0];
  return isCommitId(id) ? id : null;
}

/** The agent's object directory, when it is a directory and not a way elsewhere. */
function agentObjects(tree: string): string | null {
  const real = [`${tree}/.git`, `${tree}/.git/objects`].every(
    (dir) => lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === true,
  );
  return real ? `${tree}/.git/objects` : null;
}

/** A file's text; null when it is missing, no plain file (opening a pipe would wait for ever) or no ref file of any sane size. */
function readSmall(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size < 4 * 1024 * 1024 ? readFileSync(path, 'utf8') : null;
}

function identity(author: string): Record<string, string> {
  const email = `${author.replaceAll(/[^A-Za-z0-9._/-]/g, '-')}@dispatch.invalid`;
  return {
    GIT_AUTHOR_NAME: author,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: author,
    GIT_COMMITTER_EMAIL: email,
  };
}

function text(result: { readonly stdout: Buffer }): string {
  return result.stdout.toString('latin1').trim();
}
