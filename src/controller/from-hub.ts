/** Inputs that come from the hub: collected branches, merges, landings, deliveries. Each is checked against the state as it is now. */
import { areasId } from '../model/area.ts';
import type { Attempt } from '../model/attempt.ts';
import type { CommitId, Token } from '../model/ids.ts';
import { isTestPath } from '../gates/test-path.ts';
import { queueOf } from '../merge/queue/view.ts';
import type { Project, Task } from '../model/task.ts';
import { activeTasks } from '../schedule/gates.ts';
import { carryContract, recallOutdated } from './contract.ts';
import { watchCollected, watchLanded } from './control-watch.ts';
import type { Input } from './door.ts';
import { reconsider, reconsiderAll } from './foresight.ts';
import { isLanding } from './landing.ts';
import { MAX_RACES } from './policy.ts';
import { note } from './queue-record.ts';
import { backOff, failTask } from './settle.ts';
import { wantLook } from './target-looks.ts';
import { countsOf } from './test-counts.ts';
import type { Turn } from './turn.ts';

type Of<Is extends Input['is']> = Extract<Input, { is: Is }>;

/**
 * Where the hub has integration. While a landing is unreported the hub may be past it already; then this is no news of
 * its own, and the landing's result, which is asked for again, says which merge it was.
 */
export function based(turn: Turn, input: Of<'based'>): void {
  turn.memory.resync.delete(input.project);
  if (isLanding(turn, input.project)) return;
  const project = turn.state.projects.get(input.project);
  if (project === undefined || project.integration === input.integration) return;
  reconsiderAll(turn, input.project, input.integration);
  turn.record({ type: 'project.based', project: input.project, integration: input.integration });
}

export function collected(turn: Turn, input: Of<'collected'>): void {
  const { token, head, changed, findings } = input;
  const paths = input.paths === undefined ? {} : { paths: input.paths };
  turn.memory.salvage.delete(token);
  const attempt = turn.state.attempts.get(token);
  if (attempt === undefined) return;
  // What is nowhere else is not forgotten; a connection made anew tries once more to fetch it.
  if (input.absent !== true) turn.memory.forgettable.set(token, attempt.node);
  const task = turn.state.tasks.get(attempt.task);
  if (task === undefined) return;
  if (task.progress.at !== 'finished' || task.progress.token !== token) {
    if (input.absent !== true) noteKept(turn, attempt, head);
    return;
  }
  if (findings.every(({ approval }) => approval === true)) {
    if (input.paths?.length === changed) turn.memory.changes.set(token, new Set(input.paths));
    watchCollected(turn, { project: task.spec.project, token, changed, ...paths });
    const approvals = findings.length === 0 ? {} : { approvals: findings };
    const drops = input.dropsTests === true ? { dropsTests: true as const } : {};
    const tests = input.paths === undefined ? {} : { changesTests: input.paths.some(isTestPath) };
    const facts = { ...tests, ...approvals, ...paths, ...drops };
    turn.record({ type: 'candidate.accepted', token, head, changed, ...facts });
    return;
  }
  turn.record({ type: 'candidate.refused', token, findings, ...paths });
  const gates = [...new Set(findings.map((finding) => finding.gate))].join(', ');
  failTask(turn, task, `refused by the ${gates} gate when its branch was collected`, findings);
}

/** Fetched for no merge: the attempt was given up, or did not come to an end that merges. */
function noteKept(turn: Turn, { token, phase }: Attempt, head: CommitId): void {
  if (phase.is !== 'ended' && phase.is !== 'fenced') return;
  // A branch that was on its way to a merge once is no news.
  if (phase.kept === head || (phase.is === 'ended' && phase.branch !== undefined)) return;
  turn.record({ type: 'attempt.kept', token, head });
}

export function collectGone(turn: Turn, input: Of<'collect.gone'>): void {
  const { token } = input;
  turn.memory.salvage.delete(token);
  const attempt = turn.state.attempts.get(token);
  const task = attempt === undefined ? undefined : turn.state.tasks.get(attempt.task);
  if (task?.progress.at !== 'finished' || task.progress.token !== token) return;
  backOff(turn, task, turn.now, 'its result is gone from the node');
}

export function mergeMade(turn: Turn, input: Of<'merge.made'>): void {
  const { token, onto, commit, tree, aside, areas } = input;
  const found = queuedTask(turn, token);
  if (found === null) return;
  const { integration, name } = found.project;
  const top = aside
    ? integration
    : queueOf(found.project, activeTasks(turn.state, name), turn.state.tasks).top;
  // What it was merged onto is gone meanwhile: it is merged again.
  if (onto !== top) return;
  // So are the areas by which it was read.
  if (areas?.of !== areasId(found.project.config.areas)) return;
  const facts = areas === undefined ? {} : { areas };
  turn.record({ type: 'merge.prepared', token, onto, commit, tree, aside, ...facts });
  turn.memory.foreseen.delete(token);
  if (!aside) reconsider(turn, name, token, commit);
}

function queuedTask(turn: Turn, token: Token): { task: Task; project: Project } | null {
  const attempt = turn.state.attempts.get(token);
  const task = attempt === undefined ? undefined : turn.state.tasks.get(attempt.task);
  if (task?.progress.at !== 'queued' || task.progress.token !== token) return null;
  const project = turn.state.projects.get(task.spec.project);
  return project === undefined ? null : { task, project };
}

export function landed(turn: Turn, input: Of<'landed'>): void {
  const { project: name, tokens, commit, before } = input;
  const project = turn.state.projects.get(name);
  if (project === undefined) return;
  const { landing } = queueOf(project, activeTasks(turn.state, name), turn.state.tasks);
  const top = landing[0]?.commit;
  if (landing.map(({ token }) => token).join() !== tokens.join()) return;
  const tests = landing[0] === undefined ? {} : countsOf(turn, landing[0].tree);
  for (const { token, cleared, undo } of landing) {
    const type = undo === undefined ? 'merge.landed' : 'revert.landed';
    turn.record({ type, token, commit, onto: project.integration ?? input.onto, ...tests });
    note(turn, project, cleared ? { clearedPassed: 1 } : { passed: 1 });
  }
  carryContract(turn, project, tokens);
  for (const token of tokens) turn.memory.changes.delete(token);
  for (const { progress } of activeTasks(turn.state, name)) {
    if (progress.at !== 'gating' || progress.aside !== null || progress.onto !== top) continue;
    turn.record({ type: 'merge.carried', token: progress.token, onto: commit });
  }
  wantLook(turn, name);
  // It had landed and was not reported: what integration is now has to be read again.
  if (before) turn.memory.resync.add(name);
  watchLanded(turn, project, tokens);
}

export function landRaced(turn: Turn, input: Of<'land.raced'>): void {
  const project = turn.state.projects.get(input.project);
  if (project === undefined) return;
  const { landing } = queueOf(project, activeTasks(turn.state, project.name), turn.state.tasks);
  if (landing.length === 0) return;
  for (const { token } of landing) turn.record({ type: 'merge.raced', token });
  recallOutdated(turn, project);
  turn.memory.resync.add(project.name);
}

export function deliveryMade(turn: Turn, input: Of<'delivery.made'>): void {
  const { project: name, commit, tree, onto, targetTip } = input;
  const project = turn.state.projects.get(name);
  if (project?.delivery?.at !== 'preparing') return;
  if (project.integration !== onto) {
    turn.memory.resync.add(name);
    return;
  }
  turn.record({ type: 'delivery.prepared', project: name, commit, tree, onto, targetTip });
  if (commit === targetTip) {
    // The target has everything already.
    turn.record({ type: 'delivery.landed', project: name, commit, tasks: [] });
  }
}

export function delivered(turn: Turn, input: Of<'delivered'>): void {
  const { project: name, commit, tasks } = input;
  const delivery = turn.state.projects.get(name)?.delivery;
  if (delivery?.at !== 'pushing' || delivery.commit !== commit) return;
  turn.memory.races.delete(name);
  reconsiderAll(turn, name, commit);
  turn.record({ type: 'delivery.landed', project: name, commit, tasks, ...countsOf(turn, delivery.tree) });
}

export function deliverRaced(turn: Turn, input: Of<'deliver.raced'>): void {
  const { project: name } = input;
  if (turn.state.projects.get(name)?.delivery?.at !== 'pushing') return;
  const races = (turn.memory.races.get(name) ?? 0) + 1;
  turn.memory.races.set(name, races);
  turn.memory.resync.add(name);
  if (races < MAX_RACES) {
    turn.record({ type: 'delivery.raced', project: name });
    return;
  }
  turn.memory.races.delete(name);
  const message = `the target moved ${races} times while this collect verified`;
  turn.record({ type: 'delivery.failed', project: name, code: 'E_TARGET_RACE', message });
}

export function deliverRefused(turn: Turn, input: Of<'deliver.refused'>): void {
  if (turn.state.projects.get(input.project)?.delivery == null) return;
  if (input.problem.code === 'E_TARGET_REWOUND') wantLook(turn, input.project);
  turn.record({ type: 'delivery.failed', project: input.project, ...input.problem });
}
