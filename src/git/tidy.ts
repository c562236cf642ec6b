/**
 * Puts a hub's objects and refs in order: every merge and every result leaves loose objects and a ref behind, and after
 * some thousands of them each git call is slower. Nothing is ever dropped. What is stacked or being judged hangs on no
 * ref, so objects that nothing refers to are packed like all others (`--geometric` takes them along); `gc` would in time
 * delete them. Other calls may read and write meanwhile, and being killed half way does no harm.
 */
import type { RepoPlace } from './repo-place.ts';
import { git } from './run.ts';

/** More loose objects or packs than this are worth the work. git's own measures are 6,700 and 50. */
const LOOSE = 2000;
const PACKS = 20;

/** What lies around in a repository. */
export interface Litter {
  readonly loose: number;
  readonly packs: number;
}

export async function litterOf(repo: RepoPlace): Promise<Litter> {
  const { stdout } = await git(['count-objects', '-v'], repo);
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)`, 'mu').exec(stdout.toString('utf8'))?.[1] ?? 0);
  return { loose: figure('count'), packs: figure('packs') };
}

export function isWorthTidying({ loose, packs }: Litter): boolean {
  return loose > LOOSE || packs > PACKS;
}

/** @throws GitError, also when it was ended by `signal`. */
export async function tidy(repo: RepoPlace, signal: AbortSignal): Promise<void> {
  await git(['repack', '-q', '-d', '--geometric=2', '--threads=1'], { ...repo, signal });
  await git(['pack-refs', '--all'], { ...repo, signal });
}
