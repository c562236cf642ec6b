import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/** Sets the hub up, or brings it up to date: integration begins at the target's tip. */
export async function setBase(effect: HubEffectOf<'base'>, { hub }: HubWork): Promise<HubResult> {
  return { is: 'based', key: effect.key, project: effect.project, integration: await hub.base() };
}
