/** What a person asks for. Each command is answered at once, and what it records is durable before the answer goes out. */
import { assertNever } from '../model/assert.ts';
import type { ErrorCode } from '../model/codes/index.ts';
import { projectOfKey } from '../model/found.ts';
import { specChanged } from '../model/evolve-spec.ts';
import { environmentOf } from '../model/evidence.ts';
import { type ProjectName, taskKey, type TaskKey } from '../model/ids.ts';
import type { TaskSpec } from '../model/spec.ts';
import { isLookOpen } from '../model/second-look.ts';
import { isFinal, type Project, type Task, undoOf } from '../model/task.ts';
import { ackAlert } from './alerts.ts';
import { adoptContract } from './contract.ts';
import { beginControl } from './control.ts';
import type { Command } from './door.ts';
import { expire } from './leases.ts';
import { mark } from './marks.ts';
import { fence } from './settle.ts';
import { tryAgain } from './govern.ts';
import { acceptTarget, wantLook } from './target-looks.ts';
import type { Turn } from './turn.ts';

export type Reply =
  | { readonly ok: true; readonly notes: readonly string[] }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

const DONE: Reply = { ok: true, notes: [] };

export function command(turn: Turn, asked: Command): Reply {
  switch (asked.verb) {
    case 'load':
      return load(turn, asked);
    case 'start':
      return onProject(turn, asked.project, (project) => start(turn, project, asked.skipControl));
    case 'collect':
      return collect(turn, asked);
    case 'cancel':
      return onTask(turn, asked.task, (task) => cancel(turn, task, asked.reason));
    case 'retry':
      return onTask(turn, asked.task, (task) => retry(turn, task, asked.by));
    case 'revert':
      return onTask(turn, asked.task, (task) => revert(turn, task, asked));
    case 'review':
      return onTask(turn, asked.task, (task) => review(turn, task, asked));
    case 'accept-contract':
      return onProject(turn, asked.project, (project) => accept(turn, project, asked));
    case 'hand-back':
      return onTask(turn, asked.task, (task) => takeBack(turn, task, asked));
    case 'look':
      return onTask(turn, asked.task, (task) => look(turn, task, asked));
    case 'hold':
      return onProject(turn, asked.project, (project) => hold(turn, project, asked));
    case 'intervene':
      return onTask(turn, asked.task, (task) => intervene(turn, task, asked));
    case 'front':
      return onTask(turn, asked.task, (task) => front(turn, task, asked.by));
    case 'release':
      return onProject(turn, asked.project, (project) => release(turn, project, asked));
    case 'mark':
      mark(turn, asked.node, asked.mark);
      return DONE;
    case 'expire':
      return expire(turn, asked);
    case 'ack':
      return ackAlert(turn, asked);
    default:
      return assertNever(asked);
  }
}

function onTask(turn: Turn, key: TaskKey, act: (task: Task) => Reply): Reply {
  const task = turn.state.tasks.get(key);
  return task === undefined ? unknown(`no task ${key}`) : act(task);
}

function onProject(turn: Turn, name: ProjectName, act: (project: Project) => Reply): Reply {
  const project = turn.state.projects.get(name);
  return project === undefined ? unknown(`no project ${name}`) : act(project);
}

/** Work starts when the gates have shown that they can go red, or a person says why they need not. */
function start(turn: Turn, project: Project, skipControl: string | undefined): Reply {
  turn.memory.dispatching.add(project.name);
  wantLook(turn, project.name);
  tryAgain(turn, project.name);
  if (!project.started || project.skipControl !== (skipControl ?? null))
    turn.record({
      type: 'project.started',
      project: project.name,
      ...(skipControl === undefined ? {} : { skipControl }),
    });
  beginControl(turn, project);
  return DONE;
}

/** Gates at work run on; their word counts when the line goes on. */
function hold(turn: Turn, { name, hold: held }: Project, asked: Extract<Command, { verb: 'hold' }>): Reply {
  if (held !== null)
    return { ok: true, notes: [`the queue of ${name} stands still already: ${held.reason}`] };
  turn.record({ type: 'queue.held', project: name, by: asked.by, reason: asked.reason });
  return DONE;
}

/** For the count of what a person had to do by hand. */
function intervene(
  turn: Turn,
  task: Task,
  { token, by }: Pick<Extract<Command, { verb: 'intervene' }>, 'token' | 'by'>,
): Reply {
  const attempt = turn.state.attempts.get(token);
  if (attempt?.task !== task.key) return unknown(`${task.key} has no such attempt`);
  turn.record({ type: 'person.intervened', token, by });
  return DONE;
}

/** Counts from when its branch is in the queue; what is on the stack already keeps its place. */
function front(turn: Turn, task: Task, by: string): Reply {
  if (isFinal(task.progress)) return wrongState(task, `is ${task.progress.at} already`);
  turn.record({ type: 'queue.fronted', task: task.key, by });
  return DONE;
}

function accept(
  turn: Turn,
  project: Project,
  { by, hash }: Extract<Command, { verb: 'accept-contract' }>,
): Reply {
  const { name, contract } = project;
  const changed = contract?.changed ?? null;
  if (contract === null || changed === null)
    return { ok: true, notes: [`the contract of ${name} has not changed`] };
  if (hash !== undefined && hash !== changed.hash) {
    const message = `the contract of ${name} has changed once more: dispatch contract diff ${name}`;
    return { ok: false, code: 'E_WRONG_STATE', message };
  }
  return { ok: true, notes: adoptContract(turn, project, contract, by) };
}

function release(
  turn: Turn,
  project: Project,
  { by, acceptTarget: accept = false }: Extract<Command, { verb: 'release' }>,
): Reply {
  const { name, hold: held } = project;
  if (held === null) return { ok: true, notes: [`the queue of ${name} does not stand still`] };
  const refusal = acceptTarget(turn, project, accept);
  if (refusal !== null) return refusal;
  turn.record({ type: 'queue.released', project: name, by });
  return DONE;
}

function unknown(message: string): Reply {
  return { ok: false, code: 'E_NOT_FOUND', message };
}

function wrongState(task: Task, message: string): Reply {
  return { ok: false, code: 'E_WRONG_STATE', message: `${task.key}: ${message}` };
}

/** Takes over project.yaml and specs as they are on disk now. */
function load(turn: Turn, asked: Extract<Command, { verb: 'load' }>): Reply {
  const { state } = turn;
  const { config, specs } = asked;
  const notes: string[] = [];
  const known = state.projects.get(config.name);
  if (known === undefined || JSON.stringify(known.config) !== JSON.stringify(config)) {
    turn.record({ type: 'project.configured', config });
    if (known !== undefined) fenceOutdatedGates(turn, known);
  }
  const present = new Set<TaskKey>();
  for (const { spec, text } of specs) {
    present.add(taskKey(spec.project, spec.id));
    const note = loadSpec(turn, spec, text);
    if (note !== null) notes.push(note);
  }
  for (const task of state.tasks.values()) {
    if (task.spec.project !== config.name || present.has(task.key)) continue;
    if (isFinal(task.progress) || hasMerged(task)) continue;
    notes.push(dropTask(turn, task));
  }
  const project = state.projects.get(config.name);
  if (project !== undefined && turn.memory.dispatching.has(config.name)) beginControl(turn, project);
  return { ok: true, notes };
}

/** A gate that was ordered before its settings changed would be run with the new ones and believed as the old. */
function fenceOutdatedGates(turn: Turn, { name, config }: Project): void {
  const environment = environmentOf(config);
  for (const token of [...turn.state.live.values()].flatMap((live) => [...live])) {
    const attempt = turn.state.attempts.get(token);
    if (attempt?.work.kind !== 'gate' || projectOfKey(attempt.task) !== name) continue;
    if (attempt.work.subject.environment !== environment)
      fence(turn, token, 'the settings of gates have changed');
  }
}

function loadSpec(turn: Turn, spec: TaskSpec, text: string): string | null {
  const task = turn.state.tasks.get(taskKey(spec.project, spec.id));
  if (task === undefined) {
    turn.record({ type: 'task.added', spec, text });
    return null;
  }
  if (!specChanged(task.spec, spec)) return null;
  if (hasMerged(task)) return `${spec.id} has merged; the change of its file is ignored`;
  if (task.locked) return `${spec.id} has started; the change of its file counts after a cancel and a retry`;
  turn.record({ type: 'task.changed', spec, text });
  return null;
}

/** A spec whose file is gone is cancelled only when nothing of it has begun. */
function dropTask(turn: Turn, task: Task): string {
  if (task.locked) return `${task.spec.id} has started and goes on, although its file is gone`;
  turn.record({ type: 'task.cancelled', task: task.key, reason: 'its spec was removed' });
  return `${task.spec.id} is cancelled: its file is gone`;
}

function collect(turn: Turn, asked: Extract<Command, { verb: 'collect' }>): Reply {
  const project = turn.state.projects.get(asked.project);
  if (project === undefined) return unknown(`no project ${asked.project}`);
  if (project.config.repo === null) {
    return {
      ok: false,
      code: 'E_NOTHING_TO_COLLECT',
      message: `${asked.project} has no repository: its results are its tasks' exit records`,
    };
  }
  if (project.delivery === null) turn.record({ type: 'delivery.requested', project: asked.project });
  return DONE;
}

/** Fences whatever is at work for the task; the node is told to stop it as soon as it can be reached. */
function cancel(turn: Turn, task: Task, reason: string): Reply {
  const { progress } = task;
  if (isFinal(progress)) return wrongState(task, `is ${progress.at} already`);
  if (progress.at === 'landing') return wrongState(task, 'is landing this moment');
  if (progress.at === 'attempt') fence(turn, progress.token, reason);
  if (progress.at === 'gating' && progress.gate !== null) fence(turn, progress.gate, reason);
  if (hasMerged(task) && 'token' in progress) {
    turn.record({ type: 'revert.refused', token: progress.token, reason });
    return { ok: true, notes: [`${task.key} stays merged: its revert was given up`] };
  }
  turn.record({ type: 'task.cancelled', task: task.key, reason });
  return DONE;
}

function retry(turn: Turn, task: Task, by: string): Reply {
  const { at } = task.progress;
  if (at !== 'failed' && at !== 'cancelled' && at !== 'parked' && at !== 'reverted' && at !== 'open') {
    if (undoOf(task.progress) !== undefined) return wrongState(task, 'is being reverted');
    return wrongState(task, at === 'merged' ? 'has merged' : `is at work (${at}); cancel it first`);
  }
  turn.record({ type: 'task.retried', task: task.key, by });
  return DONE;
}

/** The reverse goes through the queue like a branch; what comes of it is told by the task. */
function revert(
  turn: Turn,
  task: Task,
  { by, reason }: Pick<Extract<Command, { verb: 'revert' }>, 'by' | 'reason'>,
): Reply {
  const { progress } = task;
  if (undoOf(progress) !== undefined) return { ok: true, notes: [`${task.key} is being reverted already`] };
  if (progress.at === 'reverted') return wrongState(task, 'was reverted already');
  if (progress.at !== 'merged') return wrongState(task, `has not merged (${progress.at})`);
  if (progress.commit === null) return wrongState(task, 'has no repository: there is nothing to take back');
  turn.record({ type: 'revert.requested', task: task.key, by, reason });
  return DONE;
}

/** Its work is in integration, perhaps not for long. */
function hasMerged({ progress }: Task): boolean {
  return progress.at === 'merged' || undoOf(progress) !== undefined;
}

/** What is rejected goes back to an agent with the reason; of what has merged, when it is out of integration again. */
function review(turn: Turn, task: Task, asked: Extract<Command, { verb: 'review' }>): Reply {
  const { approved, by, reason } = asked;
  const { progress } = task;
  const found = progress.at === 'merged' && isLookOpen(progress);
  if (progress.at !== 'review' && progress.at !== 'parked' && !found)
    return wrongState(task, 'does not wait for a review');
  turn.record({ type: 'task.reviewed', task: task.key, approved, by, reason });
  if (found && !approved) turn.record({ type: 'revert.requested', task: task.key, by, reason, again: true });
  return DONE;
}

function takeBack(
  turn: Turn,
  task: Task,
  { commit, by }: Pick<Extract<Command, { verb: 'hand-back' }>, 'commit' | 'by'>,
): Reply {
  const { at } = task.progress;
  if (at !== 'review' && at !== 'parked') return wrongState(task, 'does not wait for a review');
  turn.record({ type: 'task.handed', task: task.key, by, commit });
  return DONE;
}

/** News of a second model about work that is not in integration any more is worth nothing. */
function look(turn: Turn, task: Task, asked: Extract<Command, { verb: 'look' }>): Reply {
  const { progress } = task;
  if (progress.at !== 'merged' || progress.token !== asked.token)
    return wrongState(task, 'is not merged any more as it was when the model looked at it');
  turn.record({ type: 'review.found', token: asked.token, look: asked.look });
  return DONE;
}
