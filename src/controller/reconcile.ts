/**
 * A store that was put back from a backup does not know what has landed since. The history of integration does: each of
 * its steps is recorded here as it would have been, before a controller sees the store, so that what has merged is merged
 * and is not done again. What cannot be recorded (its dependencies have not merged by this store, its spec is gone) is
 * cancelled with the reason, because a task that runs again would merge a second time.
 */
import type { LandedBranch, Landing } from '../git/landings.ts';
import { isContractSettled } from '../model/contract.ts';
import { type NodeName, type ProjectName, taskKey } from '../model/ids.ts';
import { isFinal, type Task, undoOf } from '../model/task.ts';
import { command } from './commands.ts';
import { recallOutdated } from './contract.ts';
import { fence } from './settle.ts';
import type { Turn } from './turn.ts';

/** Where attempts ran that only the hub knows of. It is in no nodes.json, and nothing is placed there. */
const HUB_NODE = 'hub' as NodeName;

export interface Adopted {
  /** Tasks whose merge, or revert, is in the store now. */
  readonly tasks: string[];
  /** What landed and could not be recorded, in words. */
  readonly problems: string[];
}

/** Records the steps of one project's integration that its store does not have, oldest first. */
export function adoptLandings(turn: Turn, name: ProjectName, landings: readonly Landing[]): Adopted {
  const adopted: Adopted = { tasks: [], problems: [] };
  backToQueue(turn, name);
  giveUpDelivery(turn, name);
  for (const landing of landings) adoptOne(turn, name, landing, adopted);
  const project = turn.state.projects.get(name);
  if (project !== undefined) recallOutdated(turn, project);
  return adopted;
}

/** What stood on the integration that the store knew stands on nothing now. */
function backToQueue(turn: Turn, name: ProjectName): void {
  for (const task of turn.state.tasks.values()) {
    const { progress } = task;
    if (task.spec.project !== name || (progress.at !== 'gating' && progress.at !== 'landing')) continue;
    if (progress.at === 'gating' && progress.gate !== null)
      fence(turn, progress.gate, 'the store was put back');
    turn.record({ type: 'merge.raced', token: progress.token });
  }
}

/** A collect that was under way would set integration back to what it was about to deliver. */
function giveUpDelivery(turn: Turn, name: ProjectName): void {
  if (turn.state.projects.get(name)?.delivery == null) return;
  const message = 'the store was put back while it was under way';
  turn.record({ type: 'delivery.failed', project: name, code: 'E_TARGET_RACE', message });
}

function adoptOne(turn: Turn, name: ProjectName, landing: Landing, adopted: Adopted): void {
  const project = turn.state.projects.get(name);
  if (project === undefined) return;
  if (project.integration !== landing.onto)
    turn.record({ type: 'project.based', project: name, integration: landing.onto });
  const ready: LandedBranch[] = [];
  for (const branch of landing.brings) {
    const key = taskKey(name, branch.task);
    const task = turn.state.tasks.get(key);
    if (task !== undefined && isQueued(turn, task, branch)) {
      ready.push(branch);
      adopted.tasks.push(key);
      continue;
    }
    const what = `${key} ${branch.undoes ? 'was reverted' : 'landed'} as ${landing.commit.slice(0, 12)}`;
    adopted.problems.push(
      task === undefined ? `${what}, and there is no such spec` : `${what}: it is cancelled here`,
    );
    if (task !== undefined && !isFinal(task.progress))
      command(turn, { verb: 'cancel', task: key, reason: `${what}, which this store does not know` });
  }
  land(turn, name, landing, ready);
}

function land(
  turn: Turn,
  name: ProjectName,
  { onto, commit }: Landing,
  ready: readonly LandedBranch[],
): void {
  let below = onto;
  for (const [place, { token, merge, tree }] of ready.entries()) {
    const at = place === ready.length - 1 ? commit : merge;
    turn.record({ type: 'merge.prepared', token, onto: below, commit: at, tree, aside: false });
    below = at;
  }
  const top = ready.at(-1);
  if (top === undefined) {
    turn.record({ type: 'project.based', project: name, integration: commit });
    return;
  }
  const lower = ready.slice(0, -1).map(({ token }) => token);
  turn.record({ type: 'merge.passed', token: top.token, tree: top.tree, below: lower });
  for (const { token, undoes } of ready)
    turn.record({ type: undoes ? 'revert.landed' : 'merge.landed', token, commit, onto });
}

/** Brings the task to where it stood when the branch was about to be merged. False: no way leads there. */
function isQueued(turn: Turn, task: Task, branch: LandedBranch): boolean {
  if (branch.undoes) return isUndoQueued(turn, task, branch);
  const { token, head, changed } = branch;
  if (!isOwn(task, branch) && !isClaimed(turn, task, branch)) return false;
  if (task.progress.at === 'attempt') {
    const outcome = { kind: 'done', head, rounds: 1, usage: null } as const;
    turn.record({ type: 'attempt.ended', token, outcome });
  }
  if (!('head' in task.progress) || task.progress.head !== head) return false;
  if (task.progress.at === 'finished') turn.record({ type: 'candidate.accepted', token, head, changed });
  // A person approved it in the time that was lost, or it would not have landed.
  const approval = { approved: true, by: 'dispatch restore', reason: 'it has landed' };
  if (task.progress.at === 'review') turn.record({ type: 'task.reviewed', task: task.key, ...approval });
  return task.progress.at === 'queued';
}

function isOwn({ progress }: Task, { token }: LandedBranch): boolean {
  return !isFinal(progress) && progress.at !== 'parked' && 'token' in progress && progress.token === token;
}

/** The attempt is new to the store: whatever the task does instead is given up. */
function isClaimed(turn: Turn, task: Task, { token, base }: LandedBranch): boolean {
  if (turn.state.attempts.has(token) || undoOf(task.progress) !== undefined) return false;
  const { progress, key } = task;
  if (progress.at === 'merged') return false;
  if (isFinal(progress) || progress.at === 'parked')
    turn.record({ type: 'task.retried', task: key, by: 'dispatch restore' });
  else if (progress.at !== 'open') {
    const reason = 'a later attempt has landed';
    if (progress.at === 'attempt') fence(turn, progress.token, reason);
    turn.record({ type: 'task.backedoff', task: key, notBefore: turn.now, reason });
  }
  if (task.unmet > 0 || task.progress.at !== 'open') return false;
  settleContract(turn, task.spec.project);
  const work = { kind: 'work' } as const;
  turn.record({ type: 'attempt.claimed', token, task: key, n: task.n + 1, work, node: HUB_NODE, base });
  return true;
}

/** Nothing is claimed under a contract that nobody has accepted, so somebody did. What the base has now is looked at by the next controller. */
function settleContract(turn: Turn, project: ProjectName): void {
  if (isContractSettled(turn.state, project)) return;
  const { path, changed } = turn.state.projects.get(project)?.contract ?? {};
  if (path === undefined || changed == null) return;
  turn.record({ type: 'contract.accepted', project, path, hash: changed.hash, by: 'dispatch restore' });
}

function isUndoQueued(turn: Turn, task: Task, { token }: LandedBranch): boolean {
  const { progress } = task;
  if (!('token' in progress) || progress.token !== token) return false;
  if (progress.at === 'merged') {
    const why = { by: 'dispatch restore', reason: 'it was reverted after the backup' };
    turn.record({ type: 'revert.requested', task: task.key, ...why });
  }
  return task.progress.at === 'queued' && undoOf(task.progress) !== undefined;
}
