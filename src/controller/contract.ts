/**
 * The contract that a project's tasks share, and its changes. It is the file of the base (`contract` in project.yaml): what
 * an agent is told in its prompt is what the commit says that it starts from. So before work starts from a base, the file is
 * looked at there, by git's id of its content; a landing that is known to have left it alone needs no look.
 *
 * The first that is seen is accepted. Another one is a fact (`contract.changed`), and from then on nothing of the project
 * starts; what runs goes on, since nobody has decided yet, and is known by the id that its attempt was claimed with. A person
 * accepts the change: then everything that was made under another contract and has not merged starts again.
 */
import { isOutdated } from '../model/contract.ts';
import type { ProjectName, Token } from '../model/ids.ts';
import { type Contract, type Project, type Task, undoOf } from '../model/task.ts';
import type { Effect, Input } from './door.ts';
import { fence } from './settle.ts';
import type { Turn } from './turn.ts';

/** Wanted while work of the project may start and its base was not looked at. */
export function contractEffects({ memory }: Turn, { name, config, integration }: Project): Effect[] {
  const { contract: path } = config;
  if (path === null || integration === null || !memory.dispatching.has(name)) return [];
  const look = memory.contracts.get(name);
  if (look?.commit === integration && look.path === path) return [];
  return [{ do: 'contract', key: `contract:${name}`, project: name, commit: integration, path }];
}

export function contractRead(turn: Turn, input: Extract<Input, { is: 'contract.read' }>): void {
  const { project: name, commit, path, hash } = input;
  const project = turn.state.projects.get(name);
  // The base, or the settings, are others by now: they are looked at next.
  if (project === undefined || project.integration !== commit || project.config.contract !== path) return;
  turn.memory.contracts.set(name, { commit, path });
  const { contract } = project;
  if (contract === null) {
    turn.record({ type: 'contract.accepted', project: name, path, hash, by: 'dispatch' });
    return;
  }
  const known = contract.changed === null ? contract.accepted : contract.changed.hash;
  if (hash !== known || path !== contract.path)
    turn.record({ type: 'contract.changed', project: name, path, hash, commit });
}

/** After a landing on which the project's state stands already: where no branch of it changed the file, nothing is asked. */
export function carryContract({ memory }: Turn, project: Project, tokens: readonly Token[]): void {
  const { name, integration } = project;
  const look = memory.contracts.get(name);
  if (look === undefined || integration === null) return;
  const left = tokens.every((token) => memory.changes.get(token)?.has(look.path) === false);
  if (left) memory.contracts.set(name, { commit: integration, path: look.path });
}

/** @returns what a person should know of what is begun again. */
export function adoptContract(turn: Turn, project: Project, contract: Contract, by: string): string[] {
  const { path, changed } = contract;
  const hash = changed === null ? contract.accepted : changed.hash;
  turn.record({ type: 'contract.accepted', project: project.name, path, hash, by });
  const recalled = recallOutdated(turn, project);
  if (recalled.length === 0) return [];
  const names = recalled.map(({ spec }) => spec.id).join(', ');
  return [`made under another contract, so they start again: ${names}`];
}

/** What was made under another contract than the accepted one, and has not merged, starts again. */
export function recallOutdated(turn: Turn, { name, contract }: Project): Task[] {
  if (contract === null || contract.changed !== null) return [];
  const outdated = [...outdatedTasks(turn, name, contract)];
  for (const [task, token] of outdated) recall(turn, task, token, contract.path);
  return outdated.map(([task]) => task);
}

function* outdatedTasks(
  { state }: Turn,
  name: ProjectName,
  contract: Contract,
): Generator<readonly [Task, Token]> {
  for (const key of state.active) {
    const task = state.tasks.get(key);
    if (task?.spec.project !== name || undoOf(task.progress) !== undefined) continue;
    const { progress } = task;
    // What lands this moment has merged; what is parked waits for a person anyway.
    if (!('token' in progress) || progress.at === 'landing' || progress.at === 'parked') continue;
    const attempt = state.attempts.get(progress.token);
    if (attempt !== undefined && isOutdated(attempt, contract)) yield [task, progress.token];
  }
}

function recall(turn: Turn, { key, progress }: Task, token: Token, path: string): void {
  const reason = `${path} has changed since it began`;
  if (progress.at === 'attempt') fence(turn, token, reason);
  if (progress.at === 'gating' && progress.gate !== null) fence(turn, progress.gate, reason);
  // What was still on its way into the hub is fetched all the same: no work is lost.
  if (progress.at === 'finished') turn.memory.salvage.set(token, progress.head);
  turn.record({ type: 'task.recalled', task: key, token, path });
}
