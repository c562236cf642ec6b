/** How many gates may run at once for one merge queue, and which to start. */
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import type { Project, Task } from '../model/task.ts';
import { planQueue } from '../merge/queue/plan.ts';
import { queueOf, recordOf, type Stacked, viewOf } from '../merge/queue/view.ts';
import type { Snapshot } from './snapshot.ts';

/** A queue takes this share of a node's slots for its gates where `gate_slots` says nothing, and never more than MOST in all. */
const SHARE = 4;
const MOST = 8;

export function gateSlots({ nodes, connected }: Pick<Snapshot, 'nodes' | 'connected'>): number {
  let slots = 0;
  for (const node of nodes) if (connected.has(node.name)) slots += node.gateSlots ?? node.slots / SHARE;
  return Math.max(1, Math.min(MOST, Math.floor(slots)));
}

/** Branches whose gate is worth starting now, most useful first; none while the line stands still. */
export function gatesWanted(snapshot: Snapshot, project: Project, now: number): Stacked[] {
  const queue = queueOf(project, activeTasks(snapshot.state, project.name), snapshot.state.tasks);
  const merged = [...queue.stack, ...queue.aside];
  if (project.hold !== null || merged.some(({ task }) => task.notBefore > now)) return [];
  const waiting = snapshot.waiting.get(project.name) ?? 0;
  const record = recordOf(project, snapshot.records);
  const wanted = new Set(planQueue(viewOf(snapshot.state, queue, waiting, gateSlots(snapshot), record)).gate);
  const byToken = new Map(merged.map((one) => [one.progress.token, one]));
  return [...wanted].flatMap((token) => byToken.get(token) ?? []);
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
