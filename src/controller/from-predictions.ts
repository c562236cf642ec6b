/** What the hub says of branches that do not go together. A conflict with integration is final; any other may pass. */
import type { Foreseen } from '../merge/door.ts';
import { type Clash, CONFLICT, type Conflict, type Intent } from '../model/conflict.ts';
import { type CommitId, taskKey, type Token } from '../model/ids.ts';
import { type Progress, type Project, type Task, undoOf } from '../model/task.ts';
import { queueOf } from '../merge/queue/view.ts';
import { activeTasks } from '../schedule/gates.ts';
import { isLanding } from './landing.ts';
import type { Input } from './door.ts';
import { MAX_RETURNS } from './policy.ts';
import { parkIfReturnedOften } from './settle.ts';
import type { Turn } from './turn.ts';

type Of<Is extends Input['is']> = Extract<Input, { is: Is }>;

interface Found {
  readonly task: Task;
  readonly progress: Extract<Progress, { at: 'queued' | 'review' }>;
  readonly project: Project;
}

/** Some branches were looked at before their turn. */
export function predicted(turn: Turn, { project: name, tip, top, branches }: Of<'predicted'>): void {
  // What it was held against is not integration any more: it is looked at again.
  const project = turn.state.projects.get(name);
  if (project?.integration !== tip) return;
  const { stack, top: now } = queueOf(project, activeTasks(turn.state, name), turn.state.tasks);
  const height = (commit: CommitId): number => stack.findIndex(({ progress }) => progress.commit === commit);
  for (const { token, clash } of branches) {
    const found = judgedTask(turn, token);
    if (found === null || turn.memory.inflight.has(`merge:${token}`)) continue;
    // Something may have been stacked while the answer was on its way; on a first look nobody has noted what.
    const { again } = turn.memory.foreseen.get(token) ?? { again: now };
    const above = again !== null && height(again) > height(top);
    turn.memory.foreseen.set(token, { tip, again: above ? again : null });
    if (clash?.onto === tip) sendBack(turn, found, tip, clash.conflicts);
    else foresee(turn, found, clash);
  }
}

/** Its turn comes when what is on its way has landed or is gone. */
export function mergeWaits(turn: Turn, { token, onto, conflicts }: Of<'merge.waits'>): void {
  const found = judgedTask(turn, token);
  if (found === null) return;
  const { integration, name } = found.project;
  // There was no stack: the hub is somewhere else than is known here.
  if (integration === onto) {
    turn.memory.resync.add(name);
    return;
  }
  if (integration !== null) turn.memory.foreseen.set(token, { tip: integration, again: null });
  foresee(turn, found, { onto, conflicts });
}

export function mergeConflict(turn: Turn, { token, onto, conflicts }: Of<'merge.conflict'>): void {
  const found = judgedTask(turn, token);
  if (found === null || !standsOnTip(turn, found.project, onto)) return;
  sendBack(turn, found, onto, conflicts);
}

/** Records what is to come, and when it is to come no more; nothing when that is known. */
function foresee(turn: Turn, found: Found, clash: Foreseen['clash']): void {
  const { token, predicted: known } = found.progress;
  if (clash === null) {
    if (known !== undefined) {
      turn.record({ type: 'merge.predicted', token, onto: known.onto, clash: null });
    }
    return;
  }
  const { onto, conflicts } = clash;
  if (known?.onto === onto) return;
  turn.record({
    type: 'merge.predicted',
    token,
    onto,
    clash: clashOf(turn, found, conflicts, found.task.returns, 'waits'),
  });
}

/** The third time a person decides. A revert goes back to nobody: what it was to take back stays. */
function sendBack(turn: Turn, found: Found, onto: CommitId, conflicts: readonly Conflict[]): void {
  const { token } = found.progress;
  const paths = conflicts.map((conflict) => conflict.path).join(', ');
  if (undoOf(found.progress) !== undefined) {
    const clash = clashOf(turn, found, conflicts, found.task.returns, 'stays');
    turn.record({ type: 'revert.refused', token, reason: `${CONFLICT}: ${paths} changed since`, clash });
    return;
  }
  const times = found.task.returns + 1;
  const clash = clashOf(turn, found, conflicts, times, times < MAX_RETURNS ? 'agent' : 'person');
  turn.memory.foreseen.delete(token);
  turn.memory.changes.delete(token);
  turn.record({ type: 'merge.conflicted', token, onto, clash });
  const reason = `${CONFLICT}: conflicts with what merged before it (${paths})`;
  parkIfReturnedOften(turn, found.task, token, reason);
}

function clashOf(
  { state }: Turn,
  { task, project }: Found,
  conflicts: readonly Conflict[],
  times: number,
  next: Clash['next'],
): Clash {
  const others = new Set(conflicts.flatMap(({ tasks }) => tasks));
  const theirs = [...others].map((id): Intent => {
    return { task: id, title: state.tasks.get(taskKey(project.name, id))?.spec.title ?? id };
  });
  const { id, title } = task.spec;
  const ours = { task: id, title };
  return { code: CONFLICT, conflicts, ours, theirs, attempt: task.n, times, most: MAX_RETURNS, next };
}

/** The conflict is with the integration that is known here; if not, the hub's is asked for, or the two would differ for ever. */
function standsOnTip(turn: Turn, project: Project, onto: CommitId): boolean {
  if (project.integration === onto) return true;
  // A landing under way is reported by itself.
  if (!isLanding(turn, project.name)) turn.memory.resync.add(project.name);
  return false;
}

function judgedTask(turn: Turn, token: Token): Found | null {
  const attempt = turn.state.attempts.get(token);
  const task = attempt === undefined ? undefined : turn.state.tasks.get(attempt.task);
  if (task === undefined) return null;
  const { progress } = task;
  if ((progress.at !== 'queued' && progress.at !== 'review') || progress.token !== token) return null;
  const project = turn.state.projects.get(task.spec.project);
  return project === undefined ? null : { task, progress, project };
}
