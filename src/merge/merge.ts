import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Merges a collected branch onto integration or onto the top of the stack, as a commit that no branch points to yet. A
 * conflict with integration is an answer, with the tasks on the other side of it, and goes back to an agent. One with
 * the stack alone is not: what is on the stack may never land. The reverse of what has landed is merged the same way, as
 * a branch that begins where the work came in and takes it back.
 */
export async function merge(effect: HubEffectOf<'merge'>, { hub, attempt }: HubWork): Promise<HubResult> {
  const { key, token, onto, aside, undoes } = effect;
  const { task, title } = attempt(token);
  const label = { task, token, title, ...(undoes === undefined ? {} : { undoes: true as const }) };
  const head = undoes === undefined ? effect.head : await hub.reverse(undoes, label);
  const merged = await hub.merge(onto, head, label);
  if (merged.clean) {
    return { is: 'merge.made', key, token, onto, commit: merged.commit, tree: merged.tree, aside };
  }
  const tip = await hub.integration();
  const landed = tip === onto ? merged : await hub.merge(tip, head, label);
  if (landed.clean) return { is: 'merge.waits', key, token, onto };
  const conflicts = await hub.conflictTasks(landed.paths, head, tip);
  // What is taken back did change these paths: it is not in its own way.
  const others = conflicts.map(({ path, tasks }) => ({
    path,
    tasks: tasks.filter((other) => other !== task),
  }));
  return {
    is: 'merge.conflict',
    key,
    token,
    onto: tip,
    conflicts: undoes === undefined ? conflicts : others,
  };
}
