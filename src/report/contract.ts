/** The contract that the tasks share, and who was told to keep to another one than the base has now. */
import { isOutdated } from '../model/contract.ts';
import type { Attempt } from '../model/attempt.ts';
import type { TaskId, TaskKey } from '../model/ids.ts';
import type { Contract, Project, Task } from '../model/task.ts';

export interface ContractReport {
  readonly path: string;
  /** Git's id of the accepted content; null: there is no such file. */
  readonly accepted: string | null;
  readonly changed: Contract['changed'];
  /** Tasks whose newest attempt was made under another one, merged or not. */
  readonly outdated: readonly TaskId[];
}

/** null: the project has none, or it was not looked at yet. */
export function contractReport(
  { config, contract }: Project,
  tasks: readonly Task[],
  attempts: ReadonlyMap<TaskKey, readonly Attempt[]>,
): ContractReport | null {
  if (config.contract === null || contract === null) return null;
  const { path, accepted, changed } = contract;
  const outdated = tasks.filter(({ key }) => {
    const newest = (attempts.get(key) ?? []).findLast(({ work }) => work.kind === 'work');
    return newest !== undefined && isOutdated(newest, contract);
  });
  return { path, accepted, changed, outdated: outdated.map(({ spec }) => spec.id) };
}
