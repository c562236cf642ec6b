/** What a person has to decide, for the report: one line each, with the command. */
import { isLookOpen } from '../model/second-look.ts';
import type { ProjectName } from '../model/ids.ts';
import type { Task } from '../model/task.ts';
import type { WaitingForPerson } from './model.ts';
import { lookText } from './second-look.ts';

export function waitingFor(task: Task, project: ProjectName): WaitingForPerson[] {
  const { progress } = task;
  const { id } = task.spec;
  const name = `${project}/${id}`;
  if (progress.at === 'review') {
    const asked = (progress.approvals ?? []).map(({ message }) => message).join('; ');
    const reason = asked === '' ? 'judged good; waits for approval' : `waits for approval: ${asked}`;
    return [{ task: id, what: 'review', reason, command: `dispatch review ${name} --approve` }];
  }
  if (progress.at === 'merged' && progress.look !== undefined && isLookOpen(progress))
    return [{ task: id, what: 'found', reason: lookText(progress.look), command: `dispatch review ${name}` }];
  if (progress.at === 'parked' || progress.at === 'failed' || progress.at === 'reverted') {
    return [{ task: id, what: progress.at, reason: progress.reason, command: `dispatch retry ${name}` }];
  }
  return [];
}
