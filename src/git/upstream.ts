/** The user's repository as the hub sees it: branches to fetch from and one branch to push to. Nothing else is ever touched. */
import { DispatchError } from '../model/error.ts';
import { type CommitId, isCommitId } from '../model/ids.ts';
import type { RepoPlace } from './repo-place.ts';
import { parseRemote, type Remote } from './remote.ts';
import { remoteError, remoteWords, shallowClone } from './remote-error.ts';
import { remoteSettings } from './remote-settings.ts';
import { git, type GitOptions, type GitResult } from './run.ts';

const ASK_TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 60 * 60_000;
const PUSH_TIMEOUT_MS = 20 * 60_000;

export type PushResult =
  | { readonly kind: 'pushed' }
  /** The ref was not where it was expected to be. */
  | { readonly kind: 'raced' }
  /** A working copy has the branch checked out. */
  | { readonly kind: 'checked-out' }
  /** Turned down for a reason of the remote's own, in its words. */
  | { readonly kind: 'refused'; readonly words: string };

export interface UpstreamBranches {
  readonly heads: ReadonlyMap<string, CommitId>;
  /** The branch that HEAD names, if it does. */
  readonly head: string | null;
}

export class Upstream {
  readonly remote: Remote;
  /** File for the user's settings that reaching the remote needs. */
  readonly #settingsFile: string;

  /** @throws DispatchError E_REPO_MISSING when `repo` is not an address. */
  constructor(repo: string, settingsFile: string) {
    this.remote = parseRemote(repo);
    this.#settingsFile = settingsFile;
  }

  /** All branches. @throws DispatchError E_REPO_MISSING, E_REPO_AUTH, E_REPO_UNREACHABLE, … */
  async branches(): Promise<UpstreamBranches> {
    const { stdout } = await this.#talk(
      ['ls-remote', '-q', '--symref', '--end-of-options', this.remote.url, 'HEAD', 'refs/heads/*'],
      { timeoutMs: ASK_TIMEOUT_MS },
    );
    const heads = new Map<string, CommitId>();
    let head: string | null = null;
    for (const line of stdout.toString('utf8').split('\n')) {
      const [id = '', ref = ''] = line.split('\t');
      if (id.startsWith('ref: refs/heads/') && ref === 'HEAD') head = id.slice('ref: refs/heads/'.length);
      else if (isCommitId(id) && ref.startsWith('refs/heads/'))
        heads.set(ref.slice('refs/heads/'.length), id);
    }
    return { heads, head };
  }

  /** Fetches a branch into a ref of the hub. History of the user's own is taken as it is, old blemishes included. */
  async fetch(hub: RepoPlace, branch: string, into: string): Promise<void> {
    const { stderr } = await this.#talk(
      [
        '-c',
        'transfer.fsckObjects=false',
        '-c',
        'fetch.fsckObjects=false',
        'fetch',
        '-q',
        '--no-tags',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        '--end-of-options',
        this.remote.url,
        `+refs/heads/${branch}:${into}`,
      ],
      { ...hub, timeoutMs: FETCH_TIMEOUT_MS },
    );
    // git leaves the ref out, says so, and exits with 0.
    if (/shallow/.test(stderr)) throw shallowClone(this.remote, remoteWords(stderr));
  }

  /** Moves a branch from `expected` to `commit`, a descendant of it; the caller has checked that. */
  async pushBranch(
    hub: RepoPlace,
    branch: string,
    commit: CommitId,
    expected: CommitId,
  ): Promise<PushResult> {
    const ref = `refs/heads/${branch}`;
    return await this.#push(hub, [`--force-with-lease=${ref}:${expected}`], `${commit}:${ref}`);
  }

  /** Makes a branch that must not exist. */
  async newBranch(hub: RepoPlace, branch: string, commit: CommitId): Promise<PushResult> {
    const ref = `refs/heads/${branch}`;
    return await this.#push(hub, [`--force-with-lease=${ref}:`], `${commit}:${ref}`);
  }

  /** Puts a commit under a ref of our own, where it replaces what we put there before. */
  async pushOwn(hub: RepoPlace, ref: string, commit: CommitId): Promise<PushResult> {
    return await this.#push(hub, [], `+${commit}:${ref}`);
  }

  async #push(hub: RepoPlace, options: readonly string[], refspec: string): Promise<PushResult> {
    const { code, stdout, stderr } = await this.#talk(
      [
        'push',
        '--porcelain',
        '--no-verify',
        '--no-follow-tags',
        '--recurse-submodules=no',
        ...options,
        '--end-of-options',
        this.remote.url,
        refspec,
      ],
      { ...hub, timeoutMs: PUSH_TIMEOUT_MS, okCodes: [0, 1] },
    );
    if (code === 0) return { kind: 'pushed' };
    const rejected = /^!\t[^\t]*\t(.*)$/m.exec(stdout.toString('utf8'))?.[1];
    if (rejected === undefined) {
      throw new DispatchError('E_REPO_FAILED', `git push failed on ${this.remote.url}`, {
        why: remoteWords(stderr),
      });
    }
    return rejection(rejected, stderr);
  }

  async #talk(args: readonly string[], options: GitOptions): Promise<GitResult> {
    const settings = await remoteSettings(this.remote, this.#settingsFile);
    const protocols = this.remote.kind === 'local' ? (['file'] as const) : this.remote.protocols;
    try {
      return await git(args, { ...options, env: { ...options.env, ...settings }, protocols });
    } catch (error) {
      throw remoteError(error, this.remote);
    }
  }
}

/** `[rejected] (stale info)` and its relatives. */
function rejection(summary: string, stderr: string): PushResult {
  if (/checked out/.test(summary)) return { kind: 'checked-out' };
  if (
    /stale info|fetch first|non-fast-forward|failed to update ref|cannot lock ref|reference already exists/.test(
      summary,
    )
  ) {
    return { kind: 'raced' };
  }
  const remote = stderr.split('\n').filter((line) => line.startsWith('remote:'));
  const words = [remoteWords(summary), remoteWords(remote.join('\n'))].filter((part) => part !== '');
  return { kind: 'refused', words: words.join('\n') };
}
