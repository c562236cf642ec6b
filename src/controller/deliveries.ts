/**
 * Lets deliveries go on whose tree has passed every command that it has to. Derived from the state each turn: the word
 * that was missing may be that of a gate of the merge queue or of a trial on the same tree, not only the delivery's own.
 */
import { unprovedDelivery } from '../merge/delivery-commands.ts';
import type { NodeConfig } from '../model/spec.ts';
import { isDrained } from './needs.ts';
import type { Turn } from './turn.ts';

export function passDeliveries(turn: Turn): void {
  const { projects, tasks } = turn.state;
  for (const project of projects.values()) {
    const { delivery, name } = project;
    if (delivery?.at !== 'gating' || delivery.gate !== null) continue;
    if (unprovedDelivery(project, tasks.values()).length > 0) continue;
    turn.record({ type: 'delivery.passed', project: name, tree: delivery.tree });
  }
}

/** Lets deliveries begin for which nothing is under way any more. */
export function drain(turn: Turn, nodes: readonly NodeConfig[]): void {
  for (const project of turn.state.projects.values()) {
    if (project.delivery?.at !== 'draining' || project.integration === null) continue;
    const names = nodes.map((config) => config.name);
    if (isDrained(turn, project.name, names))
      turn.record({ type: 'delivery.drained', project: project.name });
  }
}
