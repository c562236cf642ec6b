import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Merges a collected branch onto the tip of integration as a commit that no branch points to yet. A conflict is an
 * answer, with the tasks on the other side of it, and goes back to an agent.
 */
export async function merge(effect: HubEffectOf<'merge'>, { hub, attempt }: HubWork): Promise<HubResult> {
  const { key, token, head } = effect;
  const onto = await hub.integration();
  const { task, title } = attempt(token);
  const merged = await hub.merge(onto, head, { task, token, title });
  if (merged.clean) return { is: 'merge.made', key, token, onto, commit: merged.commit, tree: merged.tree };
  const conflicts = await hub.conflictTasks(merged.paths, head, onto);
  return { is: 'merge.conflict', key, token, onto, conflicts };
}
