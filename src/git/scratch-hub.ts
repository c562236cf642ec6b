/**
 * A repository for one look at a hub: it reads the hub's objects and writes its own beside them, so that a merge can be
 * made, a branch of a person fetched and a bundle packed without the hub holding anything it did not hold before.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BranchFacts } from '../gates/facts.ts';
import type { Conflict } from '../model/conflict.ts';
import { type CommitId, isCommitId, type Token } from '../model/ids.ts';
import type { FileDiff } from '../review/diff.ts';
import { writeBundle } from './bundle.ts';
import { conflictsWith } from './conflicts.ts';
import { readDiff } from './diff-lines.ts';
import { readFacts } from './facts.ts';
import type { RepoPlace } from './repo-place.ts';
import { brokenHub, createHub, HUB_ENV, isHub } from './hub-dir.ts';
import { mergeBranch } from './merge-branch.ts';
import { commitTree, firstParent, mergeBases, treeOf } from './merge-tree.ts';
import { changedBetween, projectTrees } from './projection.ts';
import { INTEGRATION, readRef, START } from './refs.ts';
import { believedGit } from './believed.ts';
import { landedMerges, type LandedMerge, mergeOf } from './trailers.ts';
import { Upstream } from './upstream.ts';

export type LookedMerge =
  | { readonly clean: true; readonly commit: CommitId; readonly tree: string }
  | { readonly clean: false; readonly conflicts: readonly Conflict[] };

/** @throws DispatchError E_HUB_BROKEN when there is no hub, or it has no integration. */
export async function openScratchHub(hub: string): Promise<ScratchHub> {
  const integration = isHub(hub) ? await readRef({ gitDir: hub }, INTEGRATION) : null;
  if (integration === null) throw brokenHub(hub, 'it has no integration branch yet: nothing was started');
  const directory = await mkdtemp(join(tmpdir(), 'dispatch-look-'));
  const gitDir = join(directory, 'repo.git');
  await createHub(gitDir, integration.length === 64 ? 'sha256' : 'sha1');
  await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${join(hub, 'objects')}\n`);
  return new ScratchHub(hub, directory, { gitDir, env: HUB_ENV }, integration);
}

export class ScratchHub {
  readonly directory: string;
  /** Where integration was when the look began. */
  readonly integration: CommitId;
  readonly #hub: string;
  readonly #repo: RepoPlace;

  constructor(hub: string, directory: string, repo: RepoPlace, integration: CommitId) {
    this.#hub = hub;
    this.directory = directory;
    this.#repo = repo;
    this.integration = integration;
  }

  /** A commit that the hub knows by this name or id; null when there is none. */
  async resolve(name: string): Promise<CommitId | null> {
    const { stdout } = await believedGit(
      ['rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`],
      {
        gitDir: this.#hub,
        okCodes: [0, 1],
      },
    );
    const id = stdout.toString('latin1').trim().split('\n').at(-1);
    return isCommitId(id) ? id : null;
  }

  /** The tip of a branch of the user's repository; null when it has none of that name. @throws as `Upstream`. */
  async fetchBranch(repo: string, branch: string): Promise<CommitId | null> {
    const upstream = new Upstream(repo, join(this.directory, 'remote.config'));
    const tip = (await upstream.branches()).heads.get(branch);
    if (tip === undefined) return null;
    await upstream.fetch(this.#repo, branch, 'refs/dispatch/look');
    return await readRef(this.#repo, 'refs/dispatch/look');
  }

  /** Where a branch left integration; null when they share no history. */
  async baseOf(head: CommitId): Promise<CommitId | null> {
    return (await mergeBases(this.#repo, this.integration, head))[0] ?? null;
  }

  async facts(base: CommitId, head: CommitId, verify: string | null): Promise<BranchFacts> {
    return await readFacts(this.#repo, base, head, verify);
  }

  /** What lies between two commits, line by line. */
  async diff(from: CommitId, to: CommitId): Promise<FileDiff[]> {
    return await readDiff(this.#repo, from, to);
  }

  async treeOf(commit: CommitId): Promise<string> {
    return await treeOf(this.#repo, commit);
  }

  async firstParent(commit: CommitId): Promise<CommitId> {
    return await firstParent(this.#repo, commit);
  }

  /** The branch merged onto integration as the queue would, by the same rules. @throws DispatchError E_MERGE_UNSOUND. */
  async merge(head: CommitId): Promise<LookedMerge> {
    const onto = this.integration;
    const merged = await mergeBranch(this.#repo, onto, head);
    if (merged.clean) {
      const commit = await commitTree(this.#repo, merged.tree, [onto, head], 'looked at\n');
      return { clean: true, commit, tree: merged.tree };
    }
    const base = await this.baseOf(head);
    const later = await landedMerges(this.#repo, base, onto, true);
    return { clean: false, conflicts: conflictsWith(merged.paths, later) };
  }

  /** Paths that differ between two commits, both sides of a rename. */
  async changedBetween(from: CommitId, to: CommitId): Promise<string[]> {
    return await changedBetween(this.#repo, from, to);
  }

  /** For each name a commit of what it sees of the tree; see `projectTrees`. */
  async project(
    commit: CommitId,
    names: readonly string[],
    sees: (name: string, path: string) => boolean,
  ): ReturnType<typeof projectTrees> {
    const indexFile = join(this.directory, 'projection.index');
    return await projectTrees(this.#repo, commit, names, { sees, indexFile });
  }

  /** What landed since integration began, oldest first. */
  async landed(): Promise<LandedMerge[]> {
    const start = await readRef({ gitDir: this.#hub }, START);
    return (await landedMerges(this.#repo, start, this.integration, false)).toReversed();
  }

  /** The merge that brought one attempt in and nothing else; null when `landed` did not bring it in. */
  async mergeOf(landed: CommitId, token: Token): Promise<CommitId | null> {
    return await mergeOf(this.#repo, landed, token);
  }

  /** Writes a bundle that brings the commit to a repository that has `have`. */
  async exportBundle(file: string, commit: CommitId, have: readonly CommitId[]): Promise<void> {
    await writeBundle(this.#repo, file, [commit], have);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
