/**
 * Git reduced to what a merge queue can get wrong: commits with parents and files, refs that move by compare-and-swap,
 * three-way merges. One object store for everybody; what a party may see is decided by its refs and its bundles.
 */
import type { Projection } from '../../src/model/area.ts';
import type { Conflict } from '../../src/model/conflict.ts';
import { type CommitId, commitId, type TaskId, type Token } from '../../src/model/ids.ts';

export interface Commit {
  readonly id: CommitId;
  readonly parents: readonly CommitId[];
  readonly files: ReadonlyMap<string, string>;
  readonly tree: string;
  /** The attempts whose work this merge commit brings in. */
  readonly brings: readonly Brings[];
}

export interface Brings {
  readonly token: Token;
  readonly task: TaskId;
}

export class Objects {
  readonly #commits = new Map<CommitId, Commit>();
  readonly #trees = new Map<string, string>();

  commit(
    parents: readonly CommitId[],
    files: ReadonlyMap<string, string>,
    brings: Commit['brings'] = [],
  ): Commit {
    const id = commitId((this.#commits.size + 1).toString(16).padStart(40, '0'));
    const made = { id, parents, files, tree: this.#treeOf(files), brings };
    this.#commits.set(id, made);
    return made;
  }

  get(id: CommitId): Commit {
    const found = this.#commits.get(id);
    if (found === undefined) throw new Error(`no commit ${id}`);
    return found;
  }

  /** The commit and everything before it, nearest first. */
  history(id: CommitId): Set<CommitId> {
    const seen = new Set([id]);
    for (const at of seen) for (const parent of this.get(at).parents) seen.add(parent);
    return seen;
  }

  isAncestor(id: CommitId, of: CommitId): boolean {
    return this.history(of).has(id);
  }

  /** Joins `theirs` to `ours`: the merged files, or the paths on which both went different ways. */
  merge(ours: CommitId, theirs: CommitId): { files: ReadonlyMap<string, string> } | { conflicts: string[] } {
    const mine = this.history(ours);
    const base = [...this.history(theirs)].find((id) => mine.has(id));
    if (base === undefined) throw new Error('no common history');
    const [b, o, t] = [base, ours, theirs].map((id) => this.get(id).files);
    const files = new Map(o);
    const conflicts: string[] = [];
    for (const [path, value] of t ?? []) {
      if (value === b?.get(path) || value === o?.get(path)) continue;
      if (o?.get(path) === b?.get(path)) files.set(path, value);
      else conflicts.push(path);
    }
    for (const [path, value] of b ?? []) {
      if (t?.has(path) === true || o?.has(path) !== true) continue;
      if (o.get(path) === value) files.delete(path);
      else conflicts.push(path);
    }
    return conflicts.length > 0 ? { conflicts } : { files };
  }

  /** The tree with these files, whether or not a commit has it. */
  treeOf(files: ReadonlyMap<string, string>): string {
    return this.#treeOf(files);
  }

  /** Paths that are not the same in both. */
  changed(from: CommitId, to: CommitId): string[] {
    const [before, after] = [this.get(from).files, this.get(to).files];
    const paths = new Set([...before.keys(), ...after.keys()]);
    return [...paths].filter((path) => before.get(path) !== after.get(path));
  }

  #treeOf(files: ReadonlyMap<string, string>): string {
    const text = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).join('\n');
    const known = this.#trees.get(text) ?? `tree-${this.#trees.size + 1}`;
    this.#trees.set(text, known);
    return known;
  }
}

export type Prepared =
  | {
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId;
    }
  | { readonly conflicts: readonly string[] };

/** The hub of one project together with the user's repository that it lands on. */
export class VirtualHub {
  readonly objects: Objects;
  /** The branch of the user's repository. */
  target: CommitId;
  integration: CommitId | null = null;
  /** Where integration began. */
  start: CommitId | null = null;
  /** Another one voids the landings that were begun before: as `refs/dispatch/fence`. */
  fence = 0;
  /** An object is missing, so that nothing can be done with it. */
  missing = false;
  /** refs/cand/<token> */
  readonly candidates = new Map<Token, CommitId>();
  /** Every move of integration that brought an attempt's work, in order: the truth that merges are judged by. */
  readonly landed: { readonly token: Token; readonly commit: CommitId }[] = [];
  /** The same for work that was taken out. */
  readonly reverted: { readonly token: Token; readonly commit: CommitId }[] = [];

  constructor(objects: Objects, files: ReadonlyMap<string, string>) {
    this.objects = objects;
    this.target = objects.commit([], files).id;
  }

  /** As `Hub.base`: sets integration up, and takes it along when the target contains it and has moved on. */
  base(): CommitId {
    if (this.integration === null || this.objects.isAncestor(this.integration, this.target)) {
      this.integration = this.target;
      this.start ??= this.target;
    }
    return this.integration;
  }

  merge(brings: Brings, head: CommitId, onto: CommitId): { made: Commit } | { conflicts: Conflict[] } {
    const merged = this.objects.merge(onto, head);
    if ('conflicts' in merged) return { conflicts: merged.conflicts.map((path) => ({ path, tasks: [] })) };
    return { made: this.objects.commit([onto, head], merged.files, [brings]) };
  }

  /** As `Hub.project`. */
  project(
    commit: CommitId,
    names: readonly string[],
    sees: (name: string, path: string) => boolean,
  ): Projection[] {
    const { files } = this.objects.get(commit);
    return names.map((area): Projection => {
      const seen = new Map([...files].filter(([path]) => sees(area, path)));
      const made = this.objects.commit([commit], seen);
      return { area, commit: made.id, tree: made.tree };
    });
  }

  /** As `Hub.reverse`: the merge within the stack that brought the attempt in, and what was before it on top. */
  reverse({ token }: Brings, landed: CommitId): CommitId {
    const { parents, brings } = this.objects.get(landed);
    let at = this.objects.get(brings.length > 1 ? (parents[1] as CommitId) : landed);
    while (!(at.brings.length === 1 && at.brings[0]?.token === token)) {
      at = this.objects.get(at.parents[0] as CommitId);
    }
    const before = this.objects.get(at.parents[0] as CommitId);
    return this.objects.commit([at.id], before.files).id;
  }

  /** As `Hub.fits`, with what `Hub.conflictTasks` says of it. */
  fits(head: CommitId, onto: CommitId): Conflict[] | null {
    const merged = this.objects.merge(onto, head);
    return 'conflicts' in merged ? merged.conflicts.map((path) => ({ path, tasks: [] })) : null;
  }

  /** As `Hub.seal`: the commit that brings in the stack up to `top` in one step. */
  seal(brings: readonly Brings[], onto: CommitId, top: CommitId): CommitId {
    const { parents, files } = this.objects.get(top);
    if (brings.length === 1 && parents[0] === onto) return top;
    return this.objects.commit([onto, top], files, brings).id;
  }

  /** A copy on which the tests are red. */
  breakCopy(base: CommitId): Commit {
    const { files } = this.objects.get(base);
    return this.objects.commit([base], new Map([...files.keys()].map((path) => [path, 'red on purpose'])));
  }

  land(
    tokens: readonly Token[],
    undoes: readonly Token[],
    onto: CommitId,
    commit: CommitId,
  ): 'landed' | 'raced' {
    if (this.tip() === commit || !this.mayMove(onto)) return 'raced';
    this.integration = commit;
    for (const token of tokens)
      (undoes.includes(token) ? this.reverted : this.landed).push({ token, commit });
    return 'landed';
  }

  prepare(): Prepared {
    const [onto, targetTip] = [this.tip(), this.target];
    if (this.objects.isAncestor(onto, targetTip)) {
      return { commit: targetTip, tree: this.objects.get(targetTip).tree, onto, targetTip };
    }
    if (this.objects.isAncestor(targetTip, onto)) {
      return { commit: onto, tree: this.objects.get(onto).tree, onto, targetTip };
    }
    const merged = this.objects.merge(onto, targetTip);
    if ('conflicts' in merged) return merged;
    const { id, tree } = this.objects.commit([onto, targetTip], merged.files);
    return { commit: id, tree, onto, targetTip };
  }

  /** The push to the user's repository; the first half of a delivery. */
  push(commit: CommitId, targetTip: CommitId | null): 'pushed' | 'raced' {
    if (this.objects.isAncestor(commit, this.target)) return 'pushed';
    if (this.target !== targetTip) return 'raced';
    this.target = commit;
    return 'pushed';
  }

  /** Integration follows what was pushed; the second half. */
  follow(commit: CommitId, onto: CommitId): void {
    if (this.integration === onto) this.integration = commit;
  }

  tasksBetween(from: CommitId | null, to: CommitId): TaskId[] {
    const before = from === null ? new Set<CommitId>() : this.objects.history(from);
    const tasks = [...this.objects.history(to)].flatMap((id) =>
      before.has(id) ? [] : this.objects.get(id).brings.map(({ task }) => task),
    );
    return [...new Set(tasks)];
  }

  tip(): CommitId {
    if (this.integration === null) throw new Error('the hub is not set up');
    return this.integration;
  }

  /** The compare of the compare-and-swap. */
  mayMove(onto: CommitId): boolean {
    return this.integration === onto;
  }
}
