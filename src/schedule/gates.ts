/** How many gates may run at once for one merge queue, and which to start. */
import type { ProjectName, Token } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Project, Task } from '../model/task.ts';
import { hasCome } from '../model/time.ts';
import { planQueue } from '../merge/queue/plan.ts';
import { type Need, underWay } from '../merge/queue/needs.ts';
import { queueOf, recordOf, type Stacked, unproved, viewOf } from '../merge/queue/view.ts';
import { environmentOf, evidenceKey } from '../model/evidence.ts';
import type { Snapshot } from './snapshot.ts';

/** A queue takes this share of a node's slots for its gates where `gate_slots` says nothing, and never more than MOST in all. */
const SHARE = 4;
const MOST = 8;

export function gateSlots({ nodes, connected }: Pick<Snapshot, 'nodes' | 'connected'>): number {
  let slots = 0;
  for (const node of nodes) if (connected.has(node.name)) slots += node.gateSlots ?? node.slots / SHARE;
  return Math.max(1, Math.min(MOST, Math.floor(slots)));
}

/** A gate to start: on which merge, and what to run. */
export interface WantedGate {
  readonly stacked: Stacked;
  readonly need: Need;
}

/**
 * Gates that are worth starting now, most useful first; none while the line stands still. What one prefix of the stack
 * needs is run side by side, as far as it hangs on several branches; nothing is run twice at once.
 */
export function gatesWanted(snapshot: Snapshot, project: Project, now: number): WantedGate[] {
  const { state } = snapshot;
  const active = activeTasks(state, project.name);
  if (!active.some(({ progress }) => progress.at === 'gating')) return [];
  const queue = queueOf(project, active, state.tasks);
  const merged = [...queue.stack, ...queue.aside];
  if (merged.length === 0) return [];
  if (project.hold !== null || merged.some(({ task }) => !hasCome(task.notBefore, now))) return [];
  const waiting = snapshot.waiting.get(project.name) ?? 0;
  const record = recordOf(project, snapshot.records);
  const slots = gateSlots(snapshot);
  const plan = planQueue(viewOf(state, queue, waiting, slots, record));
  const free = slots - merged.filter(({ progress }) => progress.gate !== null).length;
  return sideBySide(snapshot, project, merged, plan.gate).slice(0, Math.max(0, free));
}

function sideBySide(
  { state }: Snapshot,
  project: Project,
  merged: readonly Stacked[],
  tokens: readonly Token[],
): WantedGate[] {
  const environment = environmentOf(project.config);
  const byToken = new Map(merged.map((one) => [one.progress.token, one]));
  const busy = underWay(state, merged);
  const taken = new Set<Token>();
  return tokens.flatMap((token) => {
    const top = byToken.get(token);
    return (top === undefined ? [] : unproved(project, top)).flatMap((need): WantedGate[] => {
      const stacked = byToken.get(need.host);
      const key = evidenceKey(need.tree, { ...need, environment });
      if (stacked === undefined || stacked.progress.gate !== null || taken.has(need.host) || busy.has(key))
        return [];
      taken.add(need.host);
      busy.add(key);
      return [{ stacked, need }];
    });
  });
}

/** A project's tasks that something has to be done for. */
export function activeTasks(state: State, project: ProjectName): Task[] {
  const prefix = `${project}/`;
  const tasks: Task[] = [];
  for (const key of state.active) {
    const task = key.startsWith(prefix) ? state.tasks.get(key) : undefined;
    if (task !== undefined) tasks.push(task);
  }
  return tasks;
}
