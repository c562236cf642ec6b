/** What must hold of one task, and of what it waits for; part of `invariants`. */
import type { Attempt, GateSubject } from './attempt.ts';
import { type TaskKey, type Token, taskKey } from './ids.ts';
import { isLive } from './indexes.ts';
import type { State } from './state.ts';
import { isFinal, judgedBy, type Progress, type Task, undoOf } from './task.ts';

/** A live attempt is the one that its task is at. A task is at one token only, so this also forbids two live ones. */
export function strayViolations(task: Task, attempt: Attempt | undefined): string[] {
  if (attempt === undefined || !isLive(attempt)) return [];
  const { progress } = task;
  if (progress.at === 'attempt' && progress.token === attempt.token) return [];
  return [`${task.key}: attempt ${attempt.n} lives while the task is ${progress.at}`];
}

/** What must hold of one task by itself; costs a few look-ups. */
export function taskViolations(state: State, task: Task): string[] {
  const { key, progress, spec } = task;
  const found: string[] = [];
  if (key !== taskKey(spec.project, spec.id)) found.push(`${key}: its spec is that of ${spec.id}`);
  const unmet = unmetOf(state, task);
  if (task.unmet !== unmet)
    found.push(`${key}: unmet is ${task.unmet}, of its dependencies ${unmet} have not merged`);
  if ((task.readySince !== null) !== (unmet === 0))
    found.push(`${key}: readySince does not agree with unmet`);
  if (isFinal(progress) && task.locked) found.push(`${key}: ${progress.at} and still locked`);
  if (progress.at === 'open' && unmet > 0 && task.locked)
    found.push(`${key}: holds its lock while it waits for a dependency`);
  // The reverse of what has merged is no work: nobody is kept from starting by it.
  const undoing = undoOf(progress) !== undefined;
  if (undoing && task.locked) found.push(`${key}: is being reverted and still locked`);
  if (mayMerge(progress) && !undoing && !task.locked) found.push(`${key}: ${progress.at} without its lock`);
  if (mayMerge(progress) || progress.at === 'merged') found.push(...tokenViolations(state, task, progress));
  found.push(...membership(state.startable, key, progress.at === 'open' && unmet === 0, 'startable'));
  found.push(...membership(state.active, key, progress.at !== 'open' && !isFinal(progress), 'active'));
  found.push(...membership(state.locked, key, task.locked, 'locked'));
  return found;
}

type Underway = Extract<
  Progress,
  { at: 'attempt' | 'finished' | 'review' | 'queued' | 'gating' | 'landing' }
>;

/** The states in which the task's token is on its way to a merge. */
function mayMerge(progress: Progress): progress is Underway {
  switch (progress.at) {
    case 'attempt':
    case 'finished':
    case 'review':
    case 'queued':
    case 'gating':
    case 'landing':
      return true;
    default:
      return false;
  }
}

/** The token that merges is the task's newest work attempt, and its node said done; a fenced one never merges. */
function tokenViolations(
  state: State,
  task: Task,
  progress: Underway | Extract<Progress, { at: 'merged' }>,
): string[] {
  const attempt = state.attempts.get(progress.token);
  if (attempt === undefined) return [`${task.key}: ${progress.at} with an unknown token`];
  const found: string[] = [];
  if (attempt.task !== task.key || attempt.work.kind !== 'work') {
    found.push(`${task.key}: ${progress.at} with a token that is not its work`);
  }
  if (attempt.n !== task.n) found.push(`${task.key}: ${progress.at} with attempt ${attempt.n} of ${task.n}`);
  if (progress.at === 'attempt') return found;
  const { phase } = attempt;
  if (phase.is !== 'ended' || phase.outcome.kind !== 'done') {
    found.push(`${task.key}: ${progress.at} although its attempt is ${phase.is}, and not done`);
  } else if ('head' in progress && phase.outcome.head !== progress.head) {
    found.push(`${task.key}: ${progress.at} with another commit than its attempt made`);
  }
  if (progress.at === 'gating' && progress.gate !== null) {
    const { token: workToken } = progress;
    const subject = { of: 'merge', workToken, may: judgedBy(progress) } as const;
    found.push(...gateViolations(state, task.key, progress.gate, subject));
  }
  return found;
}

/** The gate that is waited for lives, and judges exactly what will land. */
export function gateViolations(
  state: State,
  what: string,
  token: Token,
  subject: {
    of: GateSubject['of'];
    workToken?: Token;
    may: readonly { readonly commit: string; readonly tree: string }[];
  },
): string[] {
  const gate = state.attempts.get(token);
  if (gate === undefined || gate.work.kind !== 'gate')
    return [`${what}: waits for a gate that does not exist`];
  const found: string[] = [];
  if (!isLive(gate)) found.push(`${what}: waits for a gate that is ${gate.phase.is}`);
  const judged = gate.work.subject;
  const { commit, tree } = judged;
  if (judged.of !== subject.of || !subject.may.some((one) => one.commit === commit && one.tree === tree)) {
    found.push(`${what}: its gate judges something else`);
  }
  if (judged.of === 'merge' && judged.workToken !== subject.workToken) {
    found.push(`${what}: its gate judges another attempt`);
  }
  return found;
}

function membership(index: ReadonlySet<TaskKey>, key: TaskKey, belongs: boolean, name: string): string[] {
  if (index.has(key) === belongs) return [];
  return [`index ${name}: ${key} ${belongs ? 'is missing' : 'does not belong there'}`];
}

function unmetOf(state: State, task: Task): number {
  let unmet = 0;
  for (const id of new Set(task.spec.dependsOn)) {
    if (state.tasks.get(taskKey(task.spec.project, id))?.progress.at !== 'merged') unmet += 1;
  }
  return unmet;
}
