/** What a person has to know before anything else: what stands still, which machine needs somebody, and why. */
import type { ErrorCode } from '../model/codes/index.ts';
import { isOutdated } from '../model/contract.ts';
import { commandsInUse, lastControl } from '../model/evidence.ts';
import type { Fault } from '../model/health.ts';
import { needsPerson } from '../model/stall.ts';
import type { NodeState, State } from '../model/state.ts';
import type { Project } from '../model/task.ts';
import { stalledIn } from '../schedule/stalled.ts';
import { mendLine, stallLine } from './stalled.ts';
import type { NodeName, ProjectName } from '../model/ids.ts';
import { formatDuration } from '../model/time.ts';
import { ailmentText, DEGRADE_AT, RULES } from '../schedule/health.ts';

export interface Alert {
  /** The same for as long as the same thing is wrong. */
  readonly cause: string;
  /** P0: something is wrong that must not wait; P1: a person has to act, and other work goes on. */
  readonly level: 'P0' | 'P1';
  /** What stands still; null: a machine, or the home as a whole. */
  readonly project: ProjectName | null;
  readonly node: NodeName | null;
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
    ...unbegunGates(state, project),
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
      return {
        cause: `stalled/${attempt.task}`,
        level: 'P1',
        project: name,
        node: null,
        code: 'E_STALLED',
        message,
        since: stall.since,
        fix: mendLine(stalled),
      };
    });
}

/** One for each thing that is wrong with a machine and that somebody has to know. */
export function nodeAlerts(state: State): Alert[] {
  return [...state.nodes.values()].flatMap((node) => [...silentNode(node), ...ailmentsOf(node)]);
}

/** It does not answer, and its lease runs down or has ended. */
function silentNode({ name, silence }: NodeState): Alert[] {
  if (silence === null) return [];
  const about = { cause: silentCause(name), level: 'P1', project: null, node: name } as const;
  const { at: since, silentMs } = silence;
  const span = formatDuration(silentMs);
  if (silence.is === 'suspect') {
    const message = `silent for ${span}: its gates run elsewhere, and what it holds does when its lease has ended`;
    return [{ ...about, code: 'E_NODE_DOWN', message, since, fix: `dispatch nodes probe ${name}` }];
  }
  const why = silence.by === null ? `silent for ${span}` : `said ${silence.by}`;
  const message = `lost (${why}): its tasks start elsewhere; it is used again when it is back`;
  return [{ ...about, code: 'E_NODE_LOST', message, since, fix: `dispatch nodes probe ${name}` }];
}

/** Of whatever keeps a node from answering. */
export function silentCause(node: NodeName): string {
  return `node/${node}`;
}

function ailmentsOf(node: NodeState): Alert[] {
  return node.health.ailments.flatMap((ailment): Alert[] => {
    const alert = RULES[ailment.kind].alert(ailment, node);
    if (alert === null) return [];
    const { level, code, fix } = alert;
    const { name, mark } = node;
    const marked = mark === 'none' ? '' : `, so it was ${mark === 'drain' ? 'drained' : 'cordoned'}`;
    const message = `${ailmentText(ailment)}${node.health.markedFor === ailment.kind ? marked : ''}`;
    const cause = `ailment/${name}/${ailment.kind}`;
    return [{ cause, level, project: null, node: name, code, message, since: ailment.since, fix: fix(name) }];
  });
}

/** Until the command is shown to go red, is no longer anybody's, or a person says that it need not. */
function blindGates(state: State, project: Project): Alert[] {
  return commandsInUse(state, project).flatMap((verify): Alert[] => {
    const last = lastControl(project, verify);
    if (last?.verdict !== 'blind') return [];
    const message = `no work starts: ${verify} stays green on a copy that is broken on purpose (${last.note})`;
    const fix = 'dispatch explain E_GATE_PROVES_NOTHING';
    const about = { level: 'P0', project: project.name, node: null } as const;
    return [
      {
        cause: `gate/${project.name}/blind/${verify}`,
        ...about,
        code: 'E_GATE_PROVES_NOTHING',
        message,
        since: last.at,
        fix,
      },
    ];
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
  const about = { cause: `contract/${name}`, level: 'P0', project: name, node: null } as const;
  return [{ ...about, code: 'E_CONTRACT_CHANGED', message, since: changed.since, fix }];
}

/** A queue that a person holds is no alert: somebody knows already. */
function brokenGate({ name, hold, broken }: Project): Alert[] {
  const code = 'E_GATE_BROKEN';
  const cause = `gate/${name}/broken`;
  if (hold !== null) {
    if (hold.by !== 'dispatch') return [];
    const { reason: message, since } = hold;
    if (hold.lost !== undefined) return [lostTarget(name, message, since)];
    const fix = `dispatch queue release ${name}`;
    return [{ cause, level: 'P0', project: name, node: null, code, message, since, fix }];
  }
  if (broken === null) return [];
  const { reason, times, since } = broken;
  const message = `a gate broke (${times} in a row, nobody's fault), so nothing merges until one can judge: ${reason}`;
  return [{ cause, level: 'P1', project: name, node: null, code, message, since, fix: null }];
}

/** What was delivered is gone from the target. */
function lostTarget(project: ProjectName, message: string, since: number): Alert {
  const about = { cause: `gate/${project}/target`, level: 'P0', project, node: null } as const;
  const fix = `dispatch queue release ${project} --accept-target   (dispatch explain E_TARGET_REWOUND)`;
  return { ...about, code: 'E_TARGET_REWOUND', message, since, fix };
}

/** Each machine that was asked failed by its own fault, so nothing was judged: it is tried on, and lasts. */
function unbegunGates({ nodes, tasks }: State, { name }: Project): Alert[] {
  const byGate = new Map<string, { readonly node: NodeName; readonly fault: Fault }[]>();
  for (const { name: node, health } of nodes.values()) {
    for (const fault of health.faults) {
      const at = tasks.get(fault.task)?.progress.at;
      // A delivery and a trial are no tasks.
      if (!fault.task.startsWith(`${name}/`) || (at !== undefined && at !== 'gating')) continue;
      byGate.set(fault.task, [...(byGate.get(fault.task) ?? []), { node, fault }]);
    }
  }
  return [...byGate].flatMap(([gate, found]): Alert[] => {
    const last = found.at(-1);
    if (last === undefined || found.length < DEGRADE_AT) return [];
    const on = [...new Set(found.map(({ node }) => node))].join(', ');
    const message = `the gate of ${gate.slice(name.length + 1)} could not be begun, ${found.length} times by now, on ${on}: ${last.fault.reason}; it is tried on`;
    const since = Math.min(...found.map(({ fault }) => fault.at));
    const about = { cause: `gate/${gate}/machines`, level: 'P1', project: name, node: null } as const;
    return [{ ...about, code: 'E_NODE_FAILING', message, since, fix: 'dispatch doctor' }];
  });
}

/** `alert P0: web: E_GATE_BROKEN: …`, and what to type. */
export function alertLines(alerts: readonly Alert[]): string[] {
  return alerts.flatMap(({ level, project, node, code, message, fix }) => [
    `alert ${level}: ${project ?? node ?? 'home'}: ${code}: ${message}`,
    ...(fix === null ? [] : [`fix: ${fix}`]),
  ]);
}
