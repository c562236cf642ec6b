/** The hubs of a home, opened when first needed, and what each node's mirror is known to hold of them. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Hub, openHub } from '../git/hub.ts';
import { DispatchError } from '../model/error.ts';
import type { CommitId, NodeName, ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { NodeLink } from '../node/link.ts';

export class Hubs {
  readonly #state: State;
  readonly #repos: string;
  readonly #temporary: string;
  readonly #open = new Map<ProjectName, Promise<Hub>>();
  readonly #supplied = new Map<string, Set<CommitId>>();
  readonly #lines = new Map<string, ReturnType<typeof pLimit>>();
  #bundles = 0;

  constructor(state: State, repos: string, temporary: string) {
    this.#state = state;
    this.#repos = repos;
    this.#temporary = temporary;
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    mkdirSync(repos, { recursive: true, mode: 0o700 });
  }

  /** @throws DispatchError when the project has no repository, or the hub cannot be set up. */
  of(project: ProjectName): Promise<Hub> {
    const known = this.#open.get(project);
    if (known !== undefined) return known;
    const config = this.#state.projects.get(project)?.config;
    if (config === undefined || config.repo === null) {
      return Promise.reject(new DispatchError('E_INTERNAL', `${project} has no repository`));
    }
    const { repo, target } = config;
    const opening = openHub({ dir: join(this.#repos, `${project}.git`), project, repo, target });
    this.#open.set(project, opening);
    opening.catch(() => this.#open.delete(project));
    return opening;
  }

  /** Those that are in use. */
  async opened(): Promise<Hub[]> {
    const tries = await Promise.allSettled(this.#open.values());
    return tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** Opens it anew next time: its repository or target has changed. */
  reopen(project: ProjectName): void {
    this.#open.delete(project);
  }

  /** A path for a bundle that is on its way; the caller removes it. */
  bundleFile(): string {
    this.#bundles += 1;
    return join(this.#temporary, `${process.pid}-${this.#bundles}.bundle`);
  }

  /** Sees to it that the node's mirror of the project has these commits. One transfer at a time per mirror. */
  supply(node: NodeName, link: NodeLink, project: ProjectName, commits: readonly CommitId[]): Promise<void> {
    const key = `${node}/${project}`;
    const line = this.#lines.get(key) ?? pLimit(1);
    this.#lines.set(key, line);
    return line(() => this.#supplyNow(key, link, project, commits));
  }

  /** The node says that something is missing after all. */
  forgetSupply(node: NodeName, project: ProjectName): void {
    this.#supplied.delete(`${node}/${project}`);
  }

  /** A node that connects anew may have another disk. */
  forgetNode(node: NodeName): void {
    for (const key of this.#supplied.keys()) if (key.startsWith(`${node}/`)) this.#supplied.delete(key);
  }

  async #supplyNow(
    key: string,
    link: NodeLink,
    project: ProjectName,
    commits: readonly CommitId[],
  ): Promise<void> {
    const supplied = this.#supplied.get(key) ?? new Set<CommitId>();
    const wanted = commits.filter((commit) => !supplied.has(commit));
    if (wanted.length === 0) return;
    const { has } = await link.call({
      op: 'mirror.has',
      project,
      commits: [...wanted, ...this.#candidates(supplied)],
    });
    for (const commit of has) supplied.add(commit);
    const missing = wanted.filter((commit) => !supplied.has(commit));
    if (missing.length > 0) await this.#send(link, project, missing, [...supplied]);
    for (const commit of wanted) supplied.add(commit);
    this.#supplied.set(key, supplied);
  }

  /** Commits that the mirror may hold from an earlier session: what is known already need not travel again. */
  #candidates(supplied: ReadonlySet<CommitId>): CommitId[] {
    if (supplied.size > 0) return [];
    const bases = new Set<CommitId>();
    for (const attempt of this.#state.attempts.values()) if (attempt.base !== null) bases.add(attempt.base);
    return [...bases].slice(-50);
  }

  async #send(
    link: NodeLink,
    project: ProjectName,
    commits: readonly CommitId[],
    have: readonly CommitId[],
  ): Promise<void> {
    const hub = await this.of(project);
    const file = this.bundleFile();
    try {
      await hub.exportBundle(file, commits, have);
      await link.putBundle(project, commits, file);
    } finally {
      rmSync(file, { force: true });
    }
  }
}
