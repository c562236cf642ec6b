import { rewoundText } from '../git/target-watch.ts';
import { DispatchError } from '../model/error.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/** Looks whether what was on the target is there still. A repository that cannot be reached says nothing about that. */
export async function lookAtTarget(effect: HubEffectOf<'look'>, { hub }: HubWork): Promise<HubResult> {
  const { key, project, accept } = effect;
  try {
    if (accept !== null) await hub.acceptTarget(accept);
    const lost = await hub.lostTarget();
    if (lost === null) return { is: 'looked', key, project, lost };
    const { was, now } = lost;
    return { is: 'looked', key, project, lost: { was, now, reason: rewoundText(lost, hub.place.target) } };
  } catch (error) {
    if (!(error instanceof DispatchError) || !/^E_(?:REPO|TARGET)_/u.test(error.code)) throw error;
    return { is: 'looked', key, project, lost: 'unknown' };
  }
}
