/**
 * What a delivery has to pass before it is pushed. The project's own command where it has one; otherwise every command
 * of the tasks that merged since the last delivery, because the commit that lands is not any commit that they were gated
 * on. What has passed on this very tree is not run again.
 */
import { isProved, verifyOf } from '../model/evidence.ts';
import type { Project, Task } from '../model/task.ts';

/** Commands that the prepared tree has not passed yet, in the order in which to run them. */
export function unprovedDelivery(project: Project, tasks: Iterable<Task>): string[] {
  const { delivery } = project;
  if (delivery?.at !== 'gating') return [];
  return commandsOf(project, tasks).filter((verify) => !isProved(project, delivery.tree, verify));
}

function commandsOf({ name, config, delivered }: Project, tasks: Iterable<Task>): string[] {
  if (config.verify !== null) return [config.verify];
  const fresh = new Set<string>();
  const all = new Set<string>();
  for (const { spec, progress } of tasks) {
    if (spec.project !== name || progress.at !== 'merged') continue;
    const verify = verifyOf(spec, config);
    all.add(verify);
    if (delivered === null || progress.when >= delivered.when) fresh.add(verify);
  }
  return [...(fresh.size > 0 ? fresh : all)];
}
