/**
 * Takes a node's bundle into the hub. The objects first go into a quarantine beside the hub's own, where every one of
 * them is checked (`index-pack --strict`: damaged objects, `.git` and its look-alikes in trees, dangerous
 * `.gitmodules`) and the announced commit is proven to be complete and to stand on its base. Only then do they move in,
 * so what a node sent and was refused leaves no trace. It is what `git receive-pack` does for a push.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stripControls } from '../gates/shorten.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId } from '../model/ids.ts';
import { openBundle, type OpenBundle } from './bundle.ts';
import { foundNoRoom } from './no-room.ts';
import type { RepoPlace } from './repo-place.ts';
import { git, GitError } from './run.ts';

/** Most bytes of a pack: past it something other than source code is being sent. */
const LARGEST_PACK = 2 * 1024 * 1024 * 1024;

/** Failures that are the hub's own and no fault of what was sent. */
const OURS =
  /unable to create|unable to write|cannot create|read-only file system|out of memory|no space left|quota exceeded|input\/output error/i;

/** Of a git that fails each time in other words. */
const MOST_TRIES = 3;

export interface Admission {
  /** The bundle. */
  readonly file: string;
  /** Where to keep the objects meanwhile; on the hub's file system, emptied before and after. */
  readonly quarantine: string;
  /** What the node says it made. */
  readonly head: CommitId;
  /** What the attempt started from. */
  readonly base: CommitId;
}

/** @throws DispatchError E_BUNDLE_MISMATCH with the reason; then nothing has come into the repository. */
export async function admitBundle(repo: RepoPlace, admission: Admission): Promise<void> {
  const { file, quarantine, head, base } = admission;
  await rm(quarantine, { recursive: true, force: true });
  await mkdir(join(quarantine, 'pack'), { recursive: true });
  const bundle = await openBundle(file).catch((error: unknown) => {
    throw error instanceof SyntaxError ? mismatch(head, error.message) : error;
  });
  try {
    if (!bundle.commits.includes(head)) throw mismatch(head, 'the bundle does not contain it');
    await checkObjects(
      repo,
      {
        gitDir: repo.gitDir,
        env: {
          ...repo.env,
          GIT_OBJECT_DIRECTORY: quarantine,
          GIT_ALTERNATE_OBJECT_DIRECTORIES: join(repo.gitDir, 'objects'),
        },
      },
      bundle,
      head,
      base,
    );
    await moveIn(join(quarantine, 'pack'), join(repo.gitDir, 'objects', 'pack'));
  } finally {
    await bundle.close();
    await rm(quarantine, { recursive: true, force: true });
  }
}

/**
 * A bundle is bad when git says so twice in the same words, at the same step. A git that did its work and failed at the very end of it, or
 * met a disk that would not read, says nothing about what was sent: the branch would be refused for good.
 */
async function checkObjects(
  repo: RepoPlace,
  quarantined: RepoPlace,
  bundle: OpenBundle,
  head: CommitId,
  base: CommitId,
): Promise<void> {
  let said: string | null = null;
  for (let tries = 1; ; tries += 1) {
    try {
      return await prove(quarantined, bundle, head, base);
    } catch (error) {
      if (!(error instanceof GitError) || error.why !== 'exit' || OURS.test(error.stderr)) throw error;
      if (foundNoRoom(error, repo.gitDir)) throw error;
      const words = stripControls(error.stderr).trim();
      const step = `${error.argv[0]}: ${words}`;
      if (step === said) throw mismatch(head, words);
      if (tries === MOST_TRIES) throw error;
      said = step;
    }
  }
}

/** @throws GitError, in git's words; DispatchError E_BUNDLE_MISMATCH when the commit stands on something else. */
async function prove(
  quarantined: RepoPlace,
  bundle: OpenBundle,
  head: CommitId,
  base: CommitId,
): Promise<void> {
  await git(['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${LARGEST_PACK}`], {
    ...quarantined,
    input: bundle.pack(),
  });
  // Everything that the commit reaches and no branch of the hub reaches must be there.
  await git(['rev-list', '--objects', '--quiet', head, '--not', '--all'], quarantined);
  const stands = ['merge-base', '--is-ancestor', '--end-of-options', base, head];
  const { code } = await git(stands, { ...quarantined, okCodes: [0, 1] });
  if (code !== 0) throw mismatch(head, `it does not stand on the base of the attempt, ${base}`);
}

/** The index last: git reads a pack only once it sees its index. */
async function moveIn(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => name.startsWith('pack-'));
  const rank = (name: string): number => (name.endsWith('.idx') ? 1 : 0);
  for (const name of names.toSorted((a, b) => rank(a) - rank(b)))
    await rename(join(from, name), join(to, name));
}

function mismatch(head: CommitId, why: string): DispatchError {
  return new DispatchError(
    'E_BUNDLE_MISMATCH',
    `the result ${head.slice(0, 12)} cannot be taken from its node`,
    {
      why,
      fix: 'the task runs again; if it repeats, look at the node with: dispatch nodes probe <node>',
    },
  );
}
