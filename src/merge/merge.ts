import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Merges a collected branch onto integration or onto the top of the stack, as a commit that no branch points to yet. A
 * conflict with integration is an answer, with the tasks on the other side of it, and goes back to an agent. One with
 * the stack alone is not: what is on the stack may never land.
 */
export async function merge(effect: HubEffectOf<'merge'>, { hub, attempt }: HubWork): Promise<HubResult> {
  const { key, token, head, onto, aside } = effect;
  const { task, title } = attempt(token);
  const label = { task, token, title };
  const merged = await hub.merge(onto, head, label);
  if (merged.clean) {
    return { is: 'merge.made', key, token, onto, commit: merged.commit, tree: merged.tree, aside };
  }
  const tip = await hub.integration();
  const landed = tip === onto ? merged : await hub.merge(tip, head, label);
  if (landed.clean) return { is: 'merge.waits', key, token, onto };
  const conflicts = await hub.conflictTasks(landed.paths, head, tip);
  return { is: 'merge.conflict', key, token, onto: tip, conflicts };
}
