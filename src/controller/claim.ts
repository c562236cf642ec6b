/** Turns a decision of the scheduler into the claim of an attempt. */
import { assertNever } from '../model/assert.ts';
import { environmentOf } from '../model/evidence.ts';
import type { ProjectName, TaskKey, Token } from '../model/ids.ts';
import { judged } from '../model/task.ts';
import type { Decision } from '../schedule/snapshot.ts';
import type { Turn } from './turn.ts';

/** A gate for a delivery belongs to no task; `@` cannot occur in a task's id. */
const DELIVERY_TASK = '@delivery';
/** The same for one that is tried on a broken copy. */
const CONTROL_TASK = '@control';

/** Records what was decided: the token fences whatever of it comes late. @param token one that nobody has. */
export function claim(turn: Turn, decision: Decision, token: Token): void {
  turn.memory.unordered.add(token);
  switch (decision.start) {
    case 'work':
      return claimWork(turn, decision, token);
    case 'merge-gate':
      return claimMergeGate(turn, decision, token);
    case 'delivery-gate':
      return claimDeliveryGate(turn, decision, token);
    case 'control-gate':
      return claimControlGate(turn, decision, token);
    default:
      assertNever(decision);
  }
}

function claimWork(turn: Turn, decision: Extract<Decision, { start: 'work' }>, token: Token): void {
  const { task: key, node: on, credential, executor, reserved } = decision;
  const task = turn.state.tasks.get(key);
  if (task === undefined) throw new Error(`decided to start an unknown task ${key}`);
  const project = turn.state.projects.get(task.spec.project);
  const base = project?.integration ?? null;
  const contract = base === null ? null : (project?.contract?.accepted ?? null);
  const n = task.n + 1;
  turn.record({
    type: 'attempt.claimed',
    token,
    task: key,
    n,
    work: { kind: 'work' },
    node: on,
    base,
    ...(credential === null ? {} : { credential }),
    ...(executor === task.spec.executor ? {} : { executor }),
    ...(contract === null ? {} : { contract }),
    ...(reserved === undefined ? {} : { reserved }),
  });
}

function claimMergeGate(
  turn: Turn,
  decision: Extract<Decision, { start: 'merge-gate' }>,
  token: Token,
): void {
  const { task: key, workToken, verify, area, node: on } = decision;
  const task = turn.state.tasks.get(key);
  if (task?.progress.at !== 'gating') throw new Error(`decided to gate ${key}, which is not being merged`);
  const { commit, tree } = judged(task.progress, area);
  const environment = environmentIn(turn, task.spec.project);
  const subject = { of: 'merge', workToken, commit, tree, verify, environment } as const;
  turn.record({
    type: 'attempt.claimed',
    token,
    task: key,
    n: task.n,
    work: { kind: 'gate', subject },
    node: on,
    base: commit,
  });
}

function claimDeliveryGate(
  turn: Turn,
  { project, verify, node: on }: Extract<Decision, { start: 'delivery-gate' }>,
  token: Token,
): void {
  const delivery = turn.state.projects.get(project)?.delivery;
  if (delivery?.at !== 'gating')
    throw new Error(`decided to gate a delivery of ${project} that is not prepared`);
  const { commit, tree } = delivery;
  const key = `${project}/${DELIVERY_TASK}` as TaskKey;
  const environment = environmentIn(turn, project);
  const subject = { of: 'delivery', commit, tree, verify, environment } as const;
  turn.record({
    type: 'attempt.claimed',
    token,
    task: key,
    n: 0,
    work: { kind: 'gate', subject },
    node: on,
    base: commit,
  });
}

function claimControlGate(
  turn: Turn,
  { project, gate, node: on }: Extract<Decision, { start: 'control-gate' }>,
  token: Token,
): void {
  const subject = { of: 'control', ...gate, environment: environmentIn(turn, project) } as const;
  turn.record({
    type: 'attempt.claimed',
    token,
    task: `${project}/${CONTROL_TASK}` as TaskKey,
    n: 0,
    work: { kind: 'gate', subject },
    node: on,
    base: gate.commit,
  });
}

function environmentIn(turn: Turn, name: ProjectName): string {
  const project = turn.state.projects.get(name);
  if (project === undefined) throw new Error(`decided to gate for an unknown project ${name}`);
  return environmentOf(project.config);
}
