/** Keeps what the merge queues have shown; only guesses lean on it, so it may be forgotten. */
import { NO_RECORD, observe, type QueueRecord } from '../merge/queue/record.ts';
import { queueOf } from '../merge/queue/view.ts';
import type { Token } from '../model/ids.ts';
import type { Project } from '../model/task.ts';
import { activeTasks } from '../schedule/gates.ts';
import type { Turn } from './turn.ts';

export function recordOf(turn: Turn, project: Project): QueueRecord {
  return turn.memory.records.get(project.name) ?? NO_RECORD;
}

export function note(turn: Turn, project: Project, seen: Partial<QueueRecord>): void {
  turn.memory.records.set(project.name, observe(recordOf(turn, project), seen));
}

/** A gate was green: red runs of its command on the same tree, or on what lies below it, were flakes. */
export function noteGreen(turn: Turn, project: Project, token: Token, verify: string): void {
  const { stack, aside } = queueOf(project, activeTasks(turn.state, project.name));
  const at = stack.findIndex(({ progress }) => progress.token === token);
  const cleared = at >= 0 ? stack.slice(0, at + 1) : aside.filter(({ progress }) => progress.token === token);
  const flakes = cleared.filter(({ progress }) => progress.red?.verify === verify).length;
  note(turn, project, { greens: 1, flakes });
}
