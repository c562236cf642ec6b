/** Inputs that come from the hub: collected branches, merges, landings, deliveries. Each is checked against the state as it is now. */
import type { CommitId, ProjectName, Token } from '../model/ids.ts';
import { isTestPath } from '../gates/test-path.ts';
import { queueOf } from '../merge/queue/view.ts';
import type { Project, Task } from '../model/task.ts';
import { activeTasks } from '../schedule/gates.ts';
import type { Input } from './door.ts';
import { activeOf } from './memory.ts';
import { MAX_RACES } from './policy.ts';
import { note } from './queue-record.ts';
import { backOff, failTask, parkIfReturnedOften, passDelivery } from './settle.ts';
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
  turn.record({ type: 'project.based', project: input.project, integration: input.integration });
}

function isLanding(turn: Turn, project: ProjectName): boolean {
  for (const key of activeOf(turn.state, project)) {
    if (turn.state.tasks.get(key)?.progress.at === 'landing') return true;
  }
  return false;
}

export function collected(turn: Turn, input: Of<'collected'>): void {
  const { token, head, changed, findings } = input;
  const paths = input.paths === undefined ? {} : { paths: input.paths };
  turn.memory.salvage.delete(token);
  const attempt = turn.state.attempts.get(token);
  if (attempt === undefined) return;
  turn.memory.forgettable.set(token, attempt.node);
  const task = turn.state.tasks.get(attempt.task);
  if (task === undefined || task.progress.at !== 'finished' || task.progress.token !== token) return;
  if (findings.every(({ approval }) => approval === true)) {
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

export function collectGone(turn: Turn, input: Of<'collect.gone'>): void {
  const { token } = input;
  turn.memory.salvage.delete(token);
  const attempt = turn.state.attempts.get(token);
  const task = attempt === undefined ? undefined : turn.state.tasks.get(attempt.task);
  if (task?.progress.at !== 'finished' || task.progress.token !== token) return;
  backOff(turn, task, turn.now, 'its result is gone from the node');
}

export function mergeMade(turn: Turn, input: Of<'merge.made'>): void {
  const { token, onto, commit, tree, aside } = input;
  const found = queuedTask(turn, token);
  if (found === null) return;
  const { integration, name } = found.project;
  const top = aside ? integration : queueOf(found.project, activeTasks(turn.state, name)).top;
  // What it was merged onto is gone meanwhile: it is merged again.
  if (onto !== top) return;
  turn.record({ type: 'merge.prepared', token, onto, commit, tree, aside });
}

/** Its turn comes when what is on the stack has landed or is gone. */
export function mergeWaits(turn: Turn, { token, onto }: Of<'merge.waits'>): void {
  const found = queuedTask(turn, token);
  if (found === null) return;
  turn.memory.unfit.set(token, onto);
  // There was no stack: the hub is somewhere else than is known here.
  if (found.project.integration === onto) turn.memory.resync.add(found.project.name);
}

export function mergeConflict(turn: Turn, input: Of<'merge.conflict'>): void {
  const { token, onto, conflicts } = input;
  const found = queuedTask(turn, token);
  if (found === null || !standsOnTip(turn, found.project, onto)) return;
  turn.record({ type: 'merge.conflicted', token, onto, conflicts });
  const paths = conflicts.map((conflict) => conflict.path).join(', ');
  parkIfReturnedOften(turn, found.task, token, `conflicts with what merged before it (${paths})`);
}

/** The conflict is with the integration that is known here; if not, the hub's is asked for, or the two would differ for ever. */
function standsOnTip(turn: Turn, project: Project, onto: CommitId): boolean {
  if (project.integration === onto) return true;
  // A landing under way is reported by itself.
  if (!isLanding(turn, project.name)) turn.memory.resync.add(project.name);
  return false;
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
  const { landing } = queueOf(project, activeTasks(turn.state, name));
  const top = landing[0]?.commit;
  if (landing.map(({ token }) => token).join() !== tokens.join()) return;
  const tests = landing[0] === undefined ? {} : countsOf(turn, landing[0].tree);
  for (const { token, cleared } of landing) {
    turn.record({ type: 'merge.landed', token, commit, onto: project.integration ?? input.onto, ...tests });
    note(turn, project, cleared ? { clearedPassed: 1 } : { passed: 1 });
  }
  for (const { progress } of activeTasks(turn.state, name)) {
    if (progress.at !== 'gating' || progress.aside !== null || progress.onto !== top) continue;
    turn.record({ type: 'merge.carried', token: progress.token, onto: commit });
  }
  // It had landed and was not reported: what integration is now has to be read again.
  if (before) turn.memory.resync.add(name);
}

export function landRaced(turn: Turn, input: Of<'land.raced'>): void {
  const project = turn.state.projects.get(input.project);
  if (project === undefined) return;
  const { landing } = queueOf(project, activeTasks(turn.state, project.name));
  if (landing.length === 0) return;
  for (const { token } of landing) turn.record({ type: 'merge.raced', token });
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
    return;
  }
  passDelivery(turn, project);
}

export function delivered(turn: Turn, input: Of<'delivered'>): void {
  const { project: name, commit, tasks } = input;
  const delivery = turn.state.projects.get(name)?.delivery;
  if (delivery?.at !== 'pushing' || delivery.commit !== commit) return;
  turn.memory.races.delete(name);
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
  turn.record({ type: 'delivery.failed', project: input.project, ...input.problem });
}
