/** Keeps what the merge queues have shown beside what the state says of their gates; only guesses lean on it. */
import { NO_RECORD, observe, type QueueRecord } from '../merge/queue/record.ts';
import { queueOf } from '../merge/queue/view.ts';
import type { Token } from '../model/ids.ts';
import type { Project } from '../model/task.ts';
import { activeTasks } from '../schedule/gates.ts';
import type { Turn } from './turn.ts';

export function note(turn: Turn, project: Project, seen: Partial<QueueRecord>): void {
  const { records } = turn.memory;
  records.set(project.name, observe(records.get(project.name) ?? NO_RECORD, seen));
}

/** A gate was green: red runs of its command on what lies below it were flakes, or what came on top has mended them. */
export function noteContradicted(turn: Turn, project: Project, token: Token, verify: string): void {
  const { stack } = queueOf(project, activeTasks(turn.state, project.name), turn.state.tasks);
  const at = stack.findIndex(({ progress }) => progress.token === token);
  const below = stack.slice(0, Math.max(0, at));
  const flakes = below.filter(({ progress }) => progress.red?.verify === verify).length;
  if (flakes > 0) note(turn, project, { flakes });
}
