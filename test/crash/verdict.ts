/**
 * What must hold of a home after a run in which things died or failed, whatever they were: one function, asked of the
 * real store, the real repositories, the real files of the nodes and the process table, once the run has ended. It
 * believes no part of the product about another: what landed is read from git's history, what runs from the processes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../src/controller/paths.ts';
import type { Event } from '../../src/model/event.ts';
import { type TaskKey, taskKey, type TaskId, projectName } from '../../src/model/ids.ts';
import { violations } from '../../src/model/invariants.ts';
import { evolve } from '../../src/model/evolve.ts';
import { emptyState, type State } from '../../src/model/state.ts';
import { isFinal } from '../../src/model/task.ts';
import { openReader } from '../../src/store/sqlite/reader.ts';
import { gitIn } from '../cluster/home.ts';
import { surroundingsAnew } from '../../src/schedule/surroundings.ts';
import { landingsOf, redCommits, refsOf } from './history.ts';
import { orphans } from './orphans.ts';

export interface Scene {
  /** Everything of the run lies below it: its processes are known by it. */
  readonly base: string;
  /** The home, with nodes.json. */
  readonly home: string;
  readonly project: string;
  /** The user's repository, bare, and the branch where results land. */
  readonly repo: string;
  readonly target: string;
  /** Where each node keeps everything. */
  readonly roots: readonly string[];
  /** Runs the project's tests in a checkout; true when they are green. Asked of every commit that landed. Absent: not asked. */
  readonly isGreen?: (tree: string) => boolean;
  /** Commits that agents made themselves: `<token> <commit>`, written by them right after. */
  readonly made?: readonly string[];
  /** `<token> <round>` of every start of an agent, as the agents wrote it. */
  readonly runs?: readonly string[];
  /** Tasks that wait for a person at the end, and are right to do so. */
  readonly waiting?: readonly string[];
  /** Processes of whoever asks, besides this one. */
  readonly mine?: readonly number[];
  /** How long what is about to end may take for it, milliseconds; 90,000 by default. */
  readonly patienceMs?: number;
}

/** What is wrong; empty: nothing. The controller must have ended before; its nodes may still be up. */
export async function verdict(scene: Scene): Promise<string[]> {
  const reader = await openReader(homePaths(scene.home).database);
  try {
    const state = await reader.load();
    const events = await reader.events(0, 10_000_000);
    const differences = await reader.replayCheck();
    return [
      ...violations(state, surroundingsAnew(state)).map((what) => `state: ${what}`),
      ...differences.map(({ what, field }) => `replay: ${what}.${field} is not what the events say`),
      ...historyViolations(events),
      ...outcomeViolations(scene, state),
      ...landingViolations(scene, state),
      ...lossViolations(scene, state),
      ...repeatViolations(scene),
      ...redCommits(scene),
      ...(await orphans(scene)),
    ];
  } finally {
    await reader.close();
  }
}

/** Over time: `n` only grows, final is final, each token lands once, each entry of a journal is applied once and in order. */
function historyViolations(events: readonly Event[]): string[] {
  const found: string[] = [];
  const state = emptyState();
  const landed = new Set<string>();
  const applied = new Map<string, number>();
  let epoch = 0;
  for (const event of events) {
    const { fact, source } = event;
    const asked = fact.type === 'task.retried' || fact.type === 'revert.requested' ? fact.task : null;
    const key = taskOf(event, state);
    const before = key === null ? undefined : state.tasks.get(key);
    const [n, was] = [before?.n ?? 0, before?.progress];
    evolve(state, event);
    const now = key === null ? undefined : state.tasks.get(key);
    if (event.epoch < epoch) found.push(`event ${event.seq}: of epoch ${event.epoch} after ${epoch}`);
    epoch = Math.max(epoch, event.epoch);
    if (now !== undefined && now.n < n) found.push(`${now.key}: n went from ${n} to ${now.n}`);
    const over = was !== undefined && isFinal(was);
    if (over && now !== undefined && asked === null && now.progress.at !== was.at)
      found.push(`${now.key}: was ${was.at} and became ${now.progress.at} by ${fact.type}`);
    if (fact.type === 'merge.landed') {
      if (landed.has(fact.token)) found.push(`${fact.token}: landed twice by the events`);
      landed.add(fact.token);
    }
    if (source !== null) {
      const last = applied.get(source.journal) ?? 0;
      if (source.seq <= last && fact.type !== 'attempt.late')
        found.push(`${source.journal}: entry ${source.seq} (${fact.type}) applied after ${last}`);
      applied.set(source.journal, Math.max(last, source.seq));
    }
  }
  return found;
}

function taskOf({ fact }: Event, state: State): TaskKey | null {
  if ('task' in fact) return fact.task;
  return 'token' in fact ? (state.attempts.get(fact.token)?.task ?? null) : null;
}

/** Every task has come to one end, and nothing of it lives on. */
function outcomeViolations({ project, waiting = [] }: Scene, state: State): string[] {
  const found: string[] = [];
  const name = projectName(project);
  const mayWait = new Set(waiting.map((id) => taskKey(name, id as TaskId)));
  for (const task of state.tasks.values()) {
    if (!isFinal(task.progress) && !mayWait.has(task.key))
      found.push(`${task.key}: is ${task.progress.at}, which is no end`);
  }
  for (const [node, live] of state.live)
    if (live.size > 0) found.push(`${node}: ${live.size} attempts live at the end`);
  return found;
}

/** What the store calls merged is in the history of integration exactly once, and nothing else is; the target is in line. */
function landingViolations(scene: Scene, state: State): string[] {
  const found: string[] = [];
  const hub = hubOf(scene);
  const { integration } = state.projects.get(projectName(scene.project)) ?? {};
  if (!existsSync(hub) || integration == null) return [];
  const refs = refsOf(hub);
  const tip = refs.get('refs/heads/integration');
  if (tip !== integration) found.push(`integration is ${tip} in the hub, and ${integration} in the store`);
  const landings = landingsOf(hub, 'refs/heads/integration');
  const times = new Map<string, number>();
  for (const { token } of landings) times.set(token, (times.get(token) ?? 0) + 1);
  for (const [token, count] of times) if (count > 1) found.push(`${token}: landed ${count} times`);
  for (const { task, token } of landings) {
    const progress = state.tasks.get(taskKey(projectName(scene.project), task as TaskId))?.progress;
    const said = progress?.at === 'merged' || progress?.at === 'reverted' ? progress.token : null;
    const undone = progress !== undefined && 'undo' in progress;
    if (said !== token && !undone && !wasReverted(hub, token))
      found.push(`${task}: ${token} landed, and the store says ${progress?.at} ${said ?? ''}`);
  }
  for (const { key, progress, spec } of state.tasks.values()) {
    if (spec.project !== scene.project || progress.at !== 'merged') continue;
    const count = times.get(progress.token) ?? 0;
    if (count !== 1) found.push(`${key}: merged, and its token is ${count} times in the history`);
  }
  const delivered = refsOf(scene.repo).get(`refs/heads/${scene.target}`);
  const { delivered: said = null } = state.projects.get(projectName(scene.project)) ?? {};
  if (said !== null && !isAncestor(scene.repo, said.commit, delivered ?? ''))
    found.push(`${scene.target}: does not contain ${said.commit}, which was delivered`);
  const there = new Map<string, number>();
  for (const { token } of landingsOf(scene.repo, `refs/heads/${scene.target}`))
    there.set(token, (there.get(token) ?? 0) + 1);
  for (const [token, count] of there)
    if (count > 1) found.push(`${token}: ${count} times on ${scene.target}`);
  return found;
}

function wasReverted(hub: string, token: string): boolean {
  return (
    gitIn(hub, 'log', '--format=%H', `--grep=Dispatch-Reverts-Token: ${token}`, 'refs/heads/integration') !==
    ''
  );
}

/** Every commit that an agent made, and every result that a node told of, is in the hub by name or with its attempt. */
function lossViolations(scene: Scene, state: State): string[] {
  const found: string[] = [];
  const hub = hubOf(scene);
  if (!existsSync(hub)) return [];
  const reachable = new Set(gitIn(hub, 'rev-list', '--all').split('\n'));
  const wanted = new Map<string, string>();
  for (const line of scene.made ?? []) {
    const [token = '', commit = ''] = line.split(' ');
    wanted.set(`${token} ${commit}`, 'made by its agent');
  }
  for (const { token, phase, work } of state.attempts.values()) {
    if (work.kind !== 'work' || phase.is !== 'ended' || !('head' in phase.outcome)) continue;
    if (phase.outcome.head !== null) wanted.set(`${token} ${phase.outcome.head}`, phase.outcome.kind);
  }
  for (const [name, what] of wanted) {
    const [token = '', commit = ''] = name.split(' ');
    if (!reachable.has(commit) && !isKept(scene, token, commit))
      found.push(`${token}: ${commit} (${what}) is nowhere: not in the hub, nor on a node`);
  }
  return found;
}

function isKept({ roots }: Scene, token: string, commit: string): boolean {
  return roots.some((root) =>
    ['attempts', 'trash'].some((place) => hasCommit(join(root, place, token), commit)),
  );
}

/** In the attempt's own repository, or the one in its tree that its agent works with. */
function hasCommit(dir: string, commit: string): boolean {
  return ['git', 'tree/.git'].some((name) => {
    const repository = join(dir, name);
    if (!existsSync(repository)) return false;
    try {
      gitIn(repository, 'cat-file', '-e', commit);
      return true;
    } catch {
      return false;
    }
  });
}

function isAncestor(repo: string, ancestor: string, commit: string): boolean {
  try {
    gitIn(repo, 'merge-base', '--is-ancestor', ancestor, commit);
    return true;
  } catch {
    return false;
  }
}

/** A round of an attempt is begun once. */
function repeatViolations({ runs = [] }: Scene): string[] {
  const seen = new Set<string>();
  return runs.flatMap((run) => {
    if (seen.has(run)) return [`${run}: its agent was started twice`];
    seen.add(run);
    return [];
  });
}

function hubOf({ home, project }: Scene): string {
  return join(homePaths(home).repos, `${project}.git`);
}

/** Lines of a file that agents append to; none when there is no such file. */
export function linesOf(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
