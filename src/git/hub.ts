/**
 * The controller's own bare repository for one project. Everything that merges happens here and nowhere else, so no
 * configuration, hook or file of an agent or of a working copy takes part.
 *
 * ```
 * refs/heads/integration    grows by gated merges; its first-parent history holds only trees that passed
 * refs/cand/<token>         what an attempt made, fetched once, checked, and judged by this id from then on
 * refs/undo/<token>         the reverse of what it landed, once a person asked for that
 * refs/dispatch/target      the target branch as it was seen last
 * refs/dispatch/start       where integration began
 * refs/dispatch/fence       moves when another store is put in place; landings begun before are void
 * refs/dispatch/landed      the newest integration, which it must not fall behind
 * refs/dispatch/seen/<b>    the newest target, which it must not fall behind
 * ```
 *
 * Branches move by compare-and-swap on their old value. Operations that write run one after the other; a crash between
 * any two steps is harmless, because each is done again with the same ids and finds what is done already.
 */
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { BranchFacts } from '../gates/facts.ts';
import type { Conflict } from '../model/conflict.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId, ProjectName, TaskId, Token } from '../model/ids.ts';
import { admitBundle } from './admit.ts';
import { type BrokenCopy, breakCopy, type InspectedGates, inspectGates } from './broken-copy.ts';
import { writeBundle } from './bundle.ts';
import { conflictsWith } from './conflicts.ts';
import { type Delivered, deliver, type DeliverySides, type Prepared, prepareDelivery } from './delivery.ts';
import { readFacts } from './facts.ts';
import { roomError } from './no-room.ts';
import type { RepoPlace } from './repo-place.ts';
import { brokenHub, createHub, HUB_ENV, isHub } from './hub-dir.ts';
import { mergeBranch } from './merge-branch.ts';
import { commitTree, firstParent, mergeBases, type MergedTree, treeOf } from './merge-tree.ts';
import {
  candidateRef,
  FENCE,
  INTEGRATION,
  isAncestor,
  moveRef,
  moveRefWhile,
  readRef,
  START,
  TARGET,
} from './refs.ts';
import { requireGit } from './run.ts';
import { retryingStaleLock } from './stale-lock.ts';
import { keepLanded, knowTarget, type LostTarget, targetRewound, watchTarget } from './target-watch.ts';
import { isWorthTidying, litterOf, tidy } from './tidy.ts';
import { targetMissing } from './target-missing.ts';
import { reverseOf } from './reverse.ts';
import { batchMessage, landedMerges, mergeMessage, type MergeLabel, tasksIn } from './trailers.ts';
import { fileId, listPaths, presentCommits, readFile } from './tree-read.ts';
import { Upstream } from './upstream.ts';
import { changedBetween, projectTrees } from './projection.ts';

export interface HubPlace {
  /** Absolute path of the bare repository; made on first use. */
  readonly dir: string;
  readonly project: ProjectName;
  /** The user's repository: a path or a URL. */
  readonly repo: string;
  /** Branch of the user's repository. */
  readonly target: string;
}

export type MergeResult =
  | { readonly clean: true; readonly commit: CommitId; readonly tree: string }
  | { readonly clean: false; readonly paths: readonly string[] };

/**
 * The hub of a project. Touches neither disk nor network yet: `base()` does.
 * @throws DispatchError E_GIT_MISSING, E_GIT_TOO_OLD, E_REPO_MISSING when `repo` is not an address at all.
 */
export async function openHub(place: HubPlace): Promise<Hub> {
  await requireGit();
  return new Hub(place);
}

export class Hub {
  readonly place: HubPlace;
  readonly #upstream: Upstream;
  readonly #repo: RepoPlace;
  readonly #oneAtATime = pLimit(1);
  #fence: { readonly ref: string; readonly at: CommitId | null } | null = null;

  /** Use `openHub`, which checks the git on this machine first. */
  constructor(place: HubPlace) {
    this.place = place;
    this.#repo = { gitDir: place.dir, env: HUB_ENV };
    this.#upstream = new Upstream(place.repo, join(place.dir, 'remote.config'));
  }

  /**
   * Fetches the target and returns the tip of integration, which begins at the target's tip. A target that has moved on
   * and contains all of integration takes integration along. When the user's repository cannot be reached now, a hub
   * that was set up before answers from what it has.
   * @throws DispatchError E_REPO_MISSING, E_REPO_EMPTY, E_REPO_AUTH, E_REPO_UNREACHABLE, E_REPO_SHALLOW, E_TARGET_MISSING.
   */
  async base(): Promise<CommitId> {
    return await this.#write(async () => {
      const known = isHub(this.place.dir) ? await readRef(this.#repo, INTEGRATION) : null;
      try {
        const tip = await this.#fetchTarget();
        await this.#lost(tip);
        return await this.#follow(known, tip);
      } catch (error) {
        if (known !== null && error instanceof DispatchError && error.code === 'E_REPO_UNREACHABLE')
          return known;
        throw error;
      }
    });
  }

  /** Fetches the target. @returns what it has lost since it was seen last, until that is accepted; null: nothing. */
  async lostTarget(): Promise<LostTarget | null> {
    return await this.#write(async () => this.#lost(await this.#fetchTarget()));
  }

  /** A person takes the target as it is now, without what it had. */
  async acceptTarget(now: CommitId): Promise<void> {
    await this.#write(() => knowTarget(this.#repo, this.place.target, now));
  }

  /** Tip of integration. @throws DispatchError E_HUB_BROKEN when there is none. */
  async integration(): Promise<CommitId> {
    return await this.#read(() => this.#integration());
  }

  /** Puts objects and refs in order when there is enough to do; nothing is dropped. @throws GitError when `signal` ends it. */
  async tidy(signal: AbortSignal): Promise<void> {
    if (!isHub(this.place.dir) || !isWorthTidying(await litterOf(this.#repo))) return;
    await tidy(this.#repo, signal);
  }

  /** Which of the commits the hub has. */
  async has(commits: readonly CommitId[]): Promise<CommitId[]> {
    return await this.#read(() => presentCommits(this.#repo, commits));
  }

  /**
   * Writes a bundle that brings `commits` (as `refs/dispatch/<commit>`) to a repository that has `have`; commits of
   * `have` that the hub does not know are left aside.
   */
  async exportBundle(file: string, commits: readonly CommitId[], have: readonly CommitId[]): Promise<void> {
    await this.#read(async () =>
      writeBundle(this.#repo, file, commits, await presentCommits(this.#repo, have)),
    );
  }

  /**
   * Keeps a result that the hub has already, as it does when the collecting of it was cut short after the transfer.
   * @returns false when the hub lacks it, or it does not stand on `base`; then a bundle is needed.
   */
  async keepIfPresent(token: Token, head: CommitId, base: CommitId): Promise<boolean> {
    return await this.#write(async () => {
      const present = await presentCommits(this.#repo, [base, head]);
      if (!present.includes(base) || !present.includes(head)) return false;
      if (!(await isAncestor(this.#repo, base, head))) return false;
      return await moveRef(this.#repo, candidateRef(token), head, null);
    });
  }

  /**
   * Takes an attempt's result in as `refs/cand/<token>`, checked object by object.
   * @throws DispatchError E_BUNDLE_MISMATCH when it is damaged, is not `head`, or does not stand on `base`.
   */
  async importBundle(file: string, token: Token, head: CommitId, base: CommitId): Promise<void> {
    await this.#write(async () => {
      const quarantine = join(this.place.dir, 'quarantine', token);
      await admitBundle(this.#repo, { file, quarantine, head, base });
      await moveRef(this.#repo, candidateRef(token), head, null);
    });
  }

  /** What lies between two commits, for the gates; `commands` are those whose own files are looked up at the base. */
  async facts(base: CommitId, head: CommitId, ...commands: readonly (string | null)[]): Promise<BranchFacts> {
    return await this.#read(() => readFacts(this.#repo, base, head, ...commands));
  }

  /** Where a branch left integration. @throws DispatchError E_MERGE_UNSOUND when they share no history. */
  async baseOf(head: CommitId): Promise<CommitId> {
    return await this.#read(async () => {
      const [base] = await mergeBases(this.#repo, await this.#integration(), head);
      if (base === undefined) throw noCommonHistory(head);
      return base;
    });
  }

  /** Text of a file at a commit; null when there is none, or it is not a regular file. */
  async readFile(commit: CommitId, path: string): Promise<string | null> {
    return await this.#read(async () => (await readFile(this.#repo, commit, path))?.toString('utf8') ?? null);
  }

  /** Git's id of the content of a file at a commit; null when there is none, or it is not a regular file. */
  async fileId(commit: CommitId, path: string): Promise<string | null> {
    return await this.#read(() => fileId(this.#repo, commit, path));
  }

  /** All paths of a commit's tree. */
  async listPaths(commit: CommitId): Promise<string[]> {
    return await this.#read(() => listPaths(this.#repo, commit));
  }

  /**
   * The commit that merges `head` onto `onto`; no branch moves. Always a merge commit, also when nothing has merged
   * since the branch began, so that the history shows tasks and its first parents show only gated trees.
   * @throws DispatchError E_MERGE_UNSOUND when the result is not what the two sides say it must be.
   */
  async merge(onto: CommitId, head: CommitId, label: MergeLabel): Promise<MergeResult> {
    return await this.#write(async () => {
      const merged = await mergeBranch(this.#repo, onto, head);
      if (!merged.clean) return merged;
      const commit = await commitTree(this.#repo, merged.tree, [onto, head], mergeMessage(label));
      return { clean: true, commit, tree: merged.tree };
    });
  }

  /**
   * The reverse of what an attempt brought in with `landed`, as a branch to be merged like any other; the same one each time.
   * @throws DispatchError E_MERGE_UNSOUND when that commit does not say that it did.
   */
  async reverse(landed: CommitId, label: MergeLabel): Promise<CommitId> {
    return await this.#write(() => reverseOf(this.#repo, landed, label));
  }

  /** Whether `head` merges onto `onto`, and the paths on which it does not. Writes nothing that anything points to. */
  async fits(onto: CommitId, head: CommitId): Promise<MergedTree> {
    return await this.#read(() => mergeBranch(this.#repo, onto, head));
  }

  /** For each path that conflicts, the merged tasks that changed it since the branch of `head` began. */
  async conflictTasks(paths: readonly string[], head: CommitId, onto: CommitId): Promise<Conflict[]> {
    return await this.#read(async () => {
      const [base] = await mergeBases(this.#repo, onto, head);
      return conflictsWith(paths, await landedMerges(this.#repo, base ?? null, onto, true));
    });
  }

  /**
   * The commit with which integration takes in the stack of merges up to `top`, in one step from `onto` to the tree of
   * `top`: a gated tree on a gated tree, so that the first parents of integration are nothing else. `top` itself when
   * that is one merge made right on `onto`. No branch moves.
   */
  async seal(onto: CommitId, top: CommitId, labels: readonly MergeLabel[]): Promise<CommitId> {
    return await this.#write(async () => {
      if (labels.length === 1 && (await firstParent(this.#repo, top)) === onto) return top;
      const tree = await treeOf(this.#repo, top);
      return await commitTree(this.#repo, tree, [onto, top], batchMessage(labels));
    });
  }

  /**
   * Moves integration from `onto` to `commit`. `already`: integration contains the commit. `raced`: integration is
   * somewhere else, or another store was put in place since this hub landed first (fence.ts).
   */
  async land(onto: CommitId, commit: CommitId): Promise<'landed' | 'raced' | 'already'> {
    return await this.#write(async () => {
      this.#fence ??= { ref: FENCE, at: await readRef(this.#repo, FENCE) };
      const move = { ref: INTEGRATION, from: onto, to: commit };
      if (await moveRefWhile(this.#repo, move, this.#fence)) {
        await keepLanded(this.#repo, commit);
        return 'landed';
      }
      return (await isAncestor(this.#repo, commit, await this.#integration())) ? 'already' : 'raced';
    });
  }

  /**
   * Attempts whose work has landed on integration, by what the history itself says, and the commit that brought each in;
   * `reverted`: those whose work was taken out, and the commit that did so.
   */
  async landedTokens(which: 'merged' | 'reverted' = 'merged'): Promise<Map<Token, CommitId>> {
    return await this.#read(async () => {
      const start = await readRef(this.#repo, START);
      const merges = await landedMerges(this.#repo, start, await this.#integration(), false);
      const wanted = merges.filter(({ undoes }) => undoes === (which === 'reverted'));
      return new Map(wanted.map(({ token, commit }) => [token, commit]));
    });
  }

  /** Tasks that `to` brings and `from` lacks, in the order in which they landed. */
  async tasksBetween(from: CommitId, to: CommitId): Promise<TaskId[]> {
    return await this.#read(async () => {
      const merges = await landedMerges(this.#repo, from, to, false);
      return tasksIn(merges);
    });
  }

  /** What would land on the target now; moves no branch. See `Prepared`. */
  async prepareDelivery(): Promise<Prepared> {
    return await this.#write(async () => {
      const targetTip = await this.#fetchTarget();
      const problem = await this.#rewound(targetTip);
      if (problem !== null) return { kind: 'refused', problem };
      return prepareDelivery(this.#delivery(), await this.#integration(), targetTip);
    });
  }

  /** Lands a prepared commit on the target, by compare-and-swap and never by force. See `Delivered`. */
  async deliver(commit: CommitId, onto: CommitId, targetTip: CommitId): Promise<Delivered> {
    return await this.#write(async () => {
      const now = await this.#fetchTarget();
      const problem = await this.#rewound(now);
      if (problem !== null) return { kind: 'refused', problem };
      const delivered = await deliver(this.#delivery(), { commit, onto, targetTip, now });
      if (delivered.kind === 'delivered') {
        // Unless it has it, and more.
        if (now === targetTip) await knowTarget(this.#repo, this.place.target, commit);
        await keepLanded(this.#repo, await this.#integration());
      }
      return delivered;
    });
  }

  /** What the gates with these commands are at the commit. */
  async inspectGates(commit: CommitId, commands: readonly string[]): Promise<InspectedGates> {
    return await this.#read(() => inspectGates(this.#repo, commit, commands));
  }

  /** A copy of the commit that is broken on purpose; see `breakCopy`. */
  async breakCopy(base: CommitId, verify: string, keep: readonly string[]): Promise<BrokenCopy> {
    const indexFile = join(this.place.dir, 'broken-copy.index');
    return await this.#write(() => breakCopy(this.#repo, base, verify, { keep, indexFile }));
  }

  /** Paths that differ between two commits, both sides of a rename. */
  async changedBetween(from: CommitId, to: CommitId): Promise<string[]> {
    return await this.#read(() => changedBetween(this.#repo, from, to));
  }

  /** For each name a commit of what it sees of the tree; see `projectTrees`. */
  async project(
    commit: CommitId,
    names: readonly string[],
    sees: (name: string, path: string) => boolean,
  ): ReturnType<typeof projectTrees> {
    const indexFile = join(this.place.dir, 'projection.index');
    return await this.#write(() => projectTrees(this.#repo, commit, names, { sees, indexFile }));
  }

  async #fetchTarget(): Promise<CommitId> {
    const { target, repo, dir } = this.place;
    const branches = await this.#upstream.branches();
    const tip = branches.heads.get(target);
    if (tip === undefined) throw targetMissing(repo, target, branches);
    if (!isHub(dir)) await createHub(dir, tip.length === 64 ? 'sha256' : 'sha1');
    if ((await readRef(this.#repo, TARGET)) !== tip) await this.#upstream.fetch(this.#repo, target, TARGET);
    const fetched = await readRef(this.#repo, TARGET);
    if (fetched === null) throw brokenHub(dir, 'the fetched target is not there');
    return fetched;
  }

  async #follow(known: CommitId | null, tip: CommitId): Promise<CommitId> {
    if (known === null) {
      await moveRef(this.#repo, START, tip, null);
      await moveRef(this.#repo, INTEGRATION, tip, 'absent');
    } else if (known !== tip && (await isAncestor(this.#repo, known, tip))) {
      await moveRef(this.#repo, INTEGRATION, tip, known);
    }
    return await keepLanded(this.#repo, await this.#integration());
  }

  #lost(tip: CommitId): Promise<LostTarget | null> {
    return watchTarget(this.#repo, this.place.target, tip);
  }

  async #rewound(tip: CommitId): Promise<DispatchError | null> {
    const lost = await this.#lost(tip);
    return lost === null ? null : targetRewound(lost, this.place);
  }

  async #integration(): Promise<CommitId> {
    const tip = await readRef(this.#repo, INTEGRATION);
    if (tip === null) throw brokenHub(this.place.dir, 'it has no integration branch');
    return tip;
  }

  #delivery(): DeliverySides {
    const { project, target } = this.place;
    return { repo: this.#repo, upstream: this.#upstream, project, target };
  }

  /** Reads need no turn: what they read never changes under them. */
  async #read<T>(work: () => Promise<T>): Promise<T> {
    if (!isHub(this.place.dir)) throw brokenHub(this.place.dir, 'it is not there');
    return await work().catch((error: unknown) => {
      throw roomError(error, this.place.dir);
    });
  }

  /** One at a time: parallel fetches into one repository race with each other. */
  async #write<T>(work: () => Promise<T>): Promise<T> {
    return await this.#oneAtATime(() => retryingStaleLock(this.place.dir, work)).catch((error: unknown) => {
      throw roomError(error, this.place.dir);
    });
  }
}

function noCommonHistory(head: CommitId): DispatchError {
  return new DispatchError('E_MERGE_UNSOUND', `${head.slice(0, 12)} shares no history with integration`);
}
