/** The way from integration to the target branch, in two steps with a gate between them. */
import { assertNever } from '../model/assert.ts';
import { DispatchError } from '../model/error.ts';
import { needsPerson, problemOf } from './problem.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/** What would land now. When the target has everything already, the commit is the target's own tip. */
export async function prepareDelivery(
  effect: HubEffectOf<'prepare-delivery'>,
  { hub }: HubWork,
): Promise<HubResult> {
  return await orRefusal(effect, async () => {
    const prepared = await hub.prepareDelivery();
    if (prepared.kind === 'refused') throw prepared.problem;
    const { commit, tree, onto, targetTip } = prepared;
    return { is: 'delivery.made', key: effect.key, project: effect.project, commit, tree, onto, targetTip };
  });
}

/** Pushes a commit that has passed to the target, which must still be where it was when the commit was made. */
export async function deliver(effect: HubEffectOf<'deliver'>, { hub }: HubWork): Promise<HubResult> {
  return await orRefusal(effect, async () => {
    const { key, project, commit, onto, targetTip } = effect;
    if (targetTip === null) {
      throw new DispatchError('E_TARGET_MISSING', 'the target branch was not there when this was prepared');
    }
    const delivered = await hub.deliver(commit, onto, targetTip);
    switch (delivered.kind) {
      case 'delivered':
        return { is: 'delivered', key, project, commit, tasks: delivered.tasks };
      case 'raced':
        return { is: 'deliver.raced', key, project };
      case 'refused':
        throw delivered.problem;
      default:
        return assertNever(delivered);
    }
  });
}

/** Something only a person can mend ends the collect; anything else is tried again. */
async function orRefusal(
  { key, project }: HubEffectOf<'prepare-delivery' | 'deliver'>,
  work: () => Promise<HubResult>,
): Promise<HubResult> {
  try {
    return await work();
  } catch (error) {
    if (!needsPerson(error)) throw error;
    return { is: 'deliver.refused', key, project, problem: problemOf(error) };
  }
}
