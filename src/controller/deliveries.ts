/**
 * Lets deliveries go on whose tree has passed every command that it has to. Derived from the state each turn: the word
 * that was missing may be that of a gate of the merge queue or of a trial on the same tree, not only the delivery's own.
 */
import { unprovedDelivery } from '../merge/delivery-commands.ts';
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
