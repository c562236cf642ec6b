import { join } from 'node:path';
import { type Hub, openHub } from '../../src/git/hub.ts';
import { git } from '../../src/git/run.ts';
import { type CommitId, projectName, taskId, type Token, tokenFrom } from '../../src/model/ids.ts';
import { Repo, scratch } from './repo.ts';

/** A bare repository that a person pushes to, a working copy of it, and a hub for its branch main. */
export interface World {
  readonly root: string;
  /** The repository named in project.yaml. */
  readonly bare: string;
  /** A person's clone of it. */
  readonly person: Repo;
  readonly hub: Hub;
  /** A node's mirror with a tree that an attempt works in. */
  readonly node: Repo;
  readonly base: CommitId;
}

export const FILES = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'bee\n', 'dir/c.txt': 'sea\n' } as const;

export async function world(files: Readonly<Record<string, string>> = FILES): Promise<World> {
  const root = scratch();
  const person = await Repo.create(join(root, 'person'));
  await person.commit(files, 'first');
  const bare = join(root, 'project.git');
  await git(['clone', '-q', '--bare', '--template=', person.dir, bare], { protocols: ['file'] });
  await person.git('remote', 'add', 'origin', bare);
  const hub = await hubOf(root, bare);
  const base = await hub.base();
  const node = await Repo.create(join(root, 'node'));
  await node.git('fetch', '-q', bare, 'main');
  return { root, bare, person, hub, node, base };
}

export async function hubOf(root: string, repo: string, target = 'main'): Promise<Hub> {
  return await openHub({ dir: join(root, 'hub.git'), project: projectName('demo'), repo, target });
}

let count = 0;
/** A token of its own for each call. */
export function newToken(): Token {
  count += 1;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, count);
  return tokenFrom(bytes);
}

export interface Branch {
  readonly token: Token;
  readonly head: CommitId;
}

/** An attempt's work, committed on a node and bundled as a node bundles it, taken into the hub. */
export async function candidate(
  { hub, node, root }: World,
  from: CommitId,
  edit: Parameters<Repo['commit']>[0],
): Promise<Branch> {
  const token = newToken();
  await supply(hub, node, root, from);
  await node.branch(`attempt-${token}`, from);
  const head = await node.commit(edit, 'work');
  const file = await bundle(node, root, from);
  await hub.importBundle(file, token, head, from);
  return { token, head };
}

/** Brings a commit of the hub to the node as a bundle, as the controller does. */
export async function supply(hub: Hub, node: Repo, root: string, commit: CommitId): Promise<void> {
  const file = join(root, `to-node-${newToken()}.bundle`);
  await hub.exportBundle(file, [commit], []);
  await node.git('fetch', '-q', file, `+refs/dispatch/${commit}:refs/hub/${commit}`);
}

/** What HEAD has and `have` lacks, by git's own bundler. */
export async function bundle(node: Repo, root: string, have: CommitId): Promise<string> {
  const file = join(root, `from-node-${newToken()}.bundle`);
  await node.git('bundle', 'create', '-q', file, 'HEAD', `^${have}`);
  return file;
}

/** Merges the branch onto integration and lands it. */
export async function landed(hub: Hub, branch: Branch, task: string): Promise<CommitId> {
  const onto = await hub.integration();
  const merged = await hub.merge(onto, branch.head, { task: taskId(task), token: branch.token, title: task });
  if (!merged.clean) throw new Error(`conflict in ${merged.paths.join(', ')}`);
  const result = await hub.land(onto, merged.commit);
  if (result !== 'landed') throw new Error(result);
  return merged.commit;
}
