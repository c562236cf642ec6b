/**
 * What can be wrong with a machine, and what is done about it. Each step is a fact in the log: `node.ailing` (seen, with
 * its figures), `node.repairing` (something is done about it), `node.repaired` (that was done; a look decides whether it
 * helped), `node.healed` (the next look, or the node's own word, shows it gone).
 */
import { assertNever } from './assert.ts';
import type { Outcome } from './attempt.ts';
import type { NodeName, TaskKey } from './ids.ts';

export type AilmentKind =
  /** Bytes or files are short where the worker lives. */
  | 'disk'
  /** The tmux server that sessions live in died. */
  | 'tmux-server'
  /** It lives, and its socket is gone: nobody could reach it. */
  | 'tmux-socket'
  /** Another program than the controller's own serves there. */
  | 'program'
  /** The machine started anew: what ran is dead. */
  | 'reboot'
  /** Another host key than the recorded one. */
  | 'host-key'
  /** Processes of an attempt that outlive SIGKILL. */
  | 'unkillable'
  /** Attempts that the node itself could not start or keep, several in a row. */
  | 'failing';

/**
 * `node`: it mends that by itself. `ship`: the controller's program was put there with the connection. `drain` and
 * `cordon` mend nothing: they keep work away from it.
 */
export type RepairKind = 'sweep' | 'restart' | 'ship' | 'node' | 'drain' | 'cordon';

export interface Repair {
  readonly by: RepairKind;
  readonly at: number;
  /** How often it was tried for this ailment, this time included. */
  readonly times: number;
  /** What it did; null: it is not over. */
  readonly did: string | null;
}

export interface Ailment {
  readonly kind: AilmentKind;
  /** What was seen, with figures. Text of the node's may be in it. */
  readonly evidence: string;
  /** Wall clock of the controller, milliseconds. */
  readonly since: number;
  /** The last one; null: none yet. */
  readonly repair: Repair | null;
}

/** An ailment that is over. */
export interface Healed {
  readonly kind: AilmentKind;
  readonly since: number;
  readonly at: number;
  /** What showed that it is gone. */
  readonly how: string;
}

/** One thing that went wrong for which only the node can be blamed. */
export interface Fault {
  readonly task: TaskKey;
  readonly at: number;
  readonly reason: string;
}

export interface NodeHealth {
  /** At most one of a kind, oldest first. */
  readonly ailments: readonly Ailment[];
  /** The last few, newest first. */
  readonly healed: readonly Healed[];
  /** In a row: a success ends the row. Oldest first, at most MOST_FAULTS. */
  readonly faults: readonly Fault[];
  /** The ailment for which dispatch itself cordoned or drained it; null: a person did, or nobody. */
  readonly markedFor: AilmentKind | null;
}

export const WELL: NodeHealth = { ailments: [], healed: [], faults: [], markedFor: null };

export const MOST_FAULTS = 30;
export const MOST_HEALED = 5;

export function ailmentOf(health: NodeHealth, kind: AilmentKind): Ailment | null {
  return health.ailments.find((ailment) => ailment.kind === kind) ?? null;
}

/**
 * What an attempt's end says of the node it ran on. `node`: nobody but the node is to blame. `works`: the node did its
 * part, whatever became of the work. `unclear`: the spec, the key, a person or an accident that has a rule of its own
 * may be the cause; so it counts neither way, and a bad spec never counts against a node.
 */
export function verdictOnNode(outcome: Outcome): 'node' | 'works' | 'unclear' {
  switch (outcome.kind) {
    case 'done':
    case 'refused':
    case 'overspent':
      return 'works';
    case 'failed':
      if (outcome.blame === 'node') return 'node';
      return outcome.cause === 'empty' || outcome.refusal !== undefined ? 'works' : 'unclear';
    case 'timeout':
    case 'cancelled':
    case 'lost':
      return 'unclear';
    default:
      return assertNever(outcome);
  }
}

/**
 * Faults in a row that count against this node: those of tasks that went wrong so on no other node. What fails wherever
 * it goes is the task's own trouble.
 */
export function countedFaults(
  node: { readonly name: NodeName; readonly health: NodeHealth },
  all: Iterable<{ readonly name: NodeName; readonly health: NodeHealth }>,
): readonly Fault[] {
  const { faults } = node.health;
  if (faults.length === 0) return faults;
  const elsewhere = new Set<TaskKey>();
  for (const { name, health } of all)
    if (name !== node.name) for (const { task } of health.faults) elsewhere.add(task);
  return elsewhere.size === 0 ? faults : faults.filter(({ task }) => !elsewhere.has(task));
}
