/** What a person has to know before anything else: what does not go on by itself, and why. */
import type { ErrorCode } from '../model/codes/index.ts';
import { isOutdated } from '../model/contract.ts';
import { commandsInUse, lastControl } from '../model/evidence.ts';
import type { ProjectName } from '../model/ids.ts';
import { needsPerson } from '../model/stall.ts';
import type { State } from '../model/state.ts';
import type { Project } from '../model/task.ts';
import { stalledIn } from '../schedule/stalled.ts';
import { mendLine, stallLine } from './stalled.ts';

export interface Alert {
  readonly project: ProjectName;
  readonly code: ErrorCode;
  readonly message: string;
  /** Wall clock, milliseconds. */
  readonly since: number;
  /** What to type; null while nobody has to do anything yet. */
  readonly fix: string | null;
}

/** The alerts of a project as it is now; empty when all is well. */
export function alertsOf(state: State, project: Project): Alert[] {
  return [
    ...brokenGate(project),
    ...changedContract(state, project),
    ...blindGates(state, project),
    ...stalledWork(state, project),
  ];
}

/** What goes on only when somebody does something; what may go on by itself is in the table of tasks. */
function stalledWork(state: State, { name }: Project): Alert[] {
  return stalledIn(state, name)
    .filter(({ stall }) => needsPerson(stall.cause))
    .map((stalled) => {
      const { attempt, stall } = stalled;
      const message = `${attempt.task} on ${attempt.node}: ${stallLine(stalled)}`;
      return { project: name, code: 'E_STALLED', message, since: stall.since, fix: mendLine(stalled) };
    });
}

/** Until the command is shown to go red, is no longer anybody's, or a person says that it need not. */
function blindGates(state: State, project: Project): Alert[] {
  return commandsInUse(state, project).flatMap((verify): Alert[] => {
    const last = lastControl(project, verify);
    if (last?.verdict !== 'blind') return [];
    const message = `no work starts: ${verify} stays green on a copy that is broken on purpose (${last.note})`;
    const fix = 'dispatch explain E_GATE_PROVES_NOTHING';
    return [{ project: project.name, code: 'E_GATE_PROVES_NOTHING', message, since: last.at, fix }];
  });
}

/** Until a person accepts it; with the tasks at work that were told to keep to another one. */
function changedContract(state: State, { name, config, contract }: Project): Alert[] {
  if (config.contract === null || contract?.changed == null) return [];
  const { path, changed } = contract;
  const old = [...state.active].flatMap((key) => {
    const task = state.tasks.get(key);
    if (task?.spec.project !== name || !('token' in task.progress)) return [];
    const attempt = state.attempts.get(task.progress.token);
    return attempt !== undefined && isOutdated(attempt, contract) ? task.spec.id : [];
  });
  const made = old.length === 0 ? '' : `; at work under another one: ${old.join(', ')}`;
  const message = `no work starts: ${path} has changed (${changed.commit.slice(0, 10)})${made}`;
  const fix = `dispatch contract diff ${name}, then dispatch contract accept ${name}`;
  return [{ project: name, code: 'E_CONTRACT_CHANGED', message, since: changed.since, fix }];
}

/** A queue that a person holds is no alert: somebody knows already. */
function brokenGate({ name, hold, broken }: Project): Alert[] {
  const code = 'E_GATE_BROKEN';
  if (hold !== null) {
    if (hold.by !== 'dispatch') return [];
    const { reason: message, since } = hold;
    return [{ project: name, code, message, since, fix: `dispatch queue release ${name}` }];
  }
  if (broken === null) return [];
  const { reason, times, since } = broken;
  const message = `a gate broke (${times} in a row, nobody's fault), so nothing merges until one can judge: ${reason}`;
  return [{ project: name, code, message, since, fix: null }];
}

/** `alert web E_GATE_BROKEN: …`, and what to type. */
export function alertLines(alerts: readonly Alert[]): string[] {
  return alerts.flatMap(({ project, code, message, fix }) => [
    `alert: ${project}: ${code}: ${message}`,
    ...(fix === null ? [] : [`fix: ${fix}`]),
  ]);
}
