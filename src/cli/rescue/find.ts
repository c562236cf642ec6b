/** Looks for work that has not merged: in the hubs, and on every node that answers. */
import { join } from 'node:path';
import { homePaths } from '../../controller/paths.ts';
import { unmergedIn } from '../../git/rescue.ts';
import { DispatchError } from '../../model/error.ts';
import { type CommitId, isToken, type NodeName, type ProjectName, type Token } from '../../model/ids.ts';
import type { NodeConfig } from '../../model/spec.ts';
import type { State } from '../../model/state.ts';
import type { HeldWork } from '../../protocol/messages.ts';
import { withNodeSession } from '../node-hand.ts';
import type { Scope } from './scope.ts';

export interface Work {
  /** What `dispatch rescue` takes to bring it back: a token, or a name in the hub. */
  readonly id: string;
  readonly token: Token | null;
  readonly project: ProjectName;
  /** Null: only its name in the hub is known. */
  readonly task: string | null;
  readonly n: number | null;
  /** Null: in the hub. */
  readonly node: NodeName | null;
  readonly what: 'branch' | 'reverse' | 'result' | 'files';
  readonly place: 'hub' | 'attempts' | 'trash';
  /** Why it has not merged, as the store tells. */
  readonly why: string;
  /** Null: a commit is made when it is brought back. */
  readonly head: CommitId | null;
  /** What it stands on, where a node says so. */
  readonly base: CommitId | null;
}

export interface Found {
  readonly works: readonly Work[];
  /** Nodes that could not be asked, and why. */
  readonly silent: readonly { readonly node: NodeName; readonly why: string }[];
}

/** @param project null: all. */
export async function findWork(view: Scope, project: ProjectName | null): Promise<Found> {
  const projects = [...view.state.projects.keys()].filter((name) => project === null || name === project);
  const works: Work[] = [];
  for (const name of projects) works.push(...(await inHub(view, name)));
  const kept = new Set(works.map(({ token, head }) => `${token} ${head}`));
  const silent: Found['silent'][number][] = [];
  const asked = await Promise.all(view.nodes.map((config) => onNode(config)));
  for (const { node, held, why } of asked) {
    if (held === null) silent.push({ node, why });
    for (const work of held ?? []) {
      // What is in the hub, or on its way there, is not lost with the node.
      if (kept.has(`${work.token} ${work.head}`) || !(project === null || work.project === project)) continue;
      if (!isMerged(view.state, work.token)) works.push(heldWork(view.state, node, work));
    }
  }
  return { works, silent };
}

async function inHub(view: Scope, project: ProjectName): Promise<Work[]> {
  const refs = await unmergedIn(join(homePaths(view.home).repos, `${project}.git`));
  return refs.map(({ ref, commit }) => {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    const token = isToken(name) ? name : null;
    const attempt = token === null ? undefined : view.state.attempts.get(token);
    return {
      id: ref.startsWith('refs/cand/') && token !== null ? token : ref,
      token,
      project,
      task: attempt?.task ?? null,
      n: attempt?.n ?? null,
      node: null,
      what: ref.startsWith('refs/undo/') ? 'reverse' : 'branch',
      place: 'hub',
      why: token === null ? '' : standing(view.state, token),
      head: commit,
      base: null,
    };
  });
}

async function onNode(
  config: NodeConfig,
): Promise<{ node: NodeName; held: readonly HeldWork[] | null; why: string }> {
  try {
    const { works } = await withNodeSession(config, (session) => session.call({ op: 'works' }));
    return { node: config.name, held: works, why: '' };
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    return { node: config.name, held: null, why: thrown.message };
  }
}

function heldWork(state: State, node: NodeName, held: HeldWork): Work {
  const { token, project, task, n, place, ended, head, base } = held;
  return {
    id: token,
    token,
    project,
    task: `${project}/${task}`,
    n,
    node,
    what: head === null ? 'files' : 'result',
    place,
    why: `${standing(state, token)}; on its node: ${ended ?? 'it runs'}`,
    head,
    base,
  };
}

function isMerged(state: State, token: Token): boolean {
  const attempt = state.attempts.get(token);
  const progress = attempt === undefined ? undefined : state.tasks.get(attempt.task)?.progress;
  return progress?.at === 'merged' && progress.token === token;
}

function standing(state: State, token: Token): string {
  const attempt = state.attempts.get(token);
  if (attempt === undefined) return 'this store does not know it';
  const { phase } = attempt;
  const task = state.tasks.get(attempt.task)?.progress;
  if (task !== undefined && 'token' in task && task.token === token) return `its task is ${task.at}`;
  if (phase.is === 'fenced') return `given up: ${phase.reason}`;
  return phase.is === 'ended' ? `ended: ${phase.outcome.kind}` : phase.is;
}
