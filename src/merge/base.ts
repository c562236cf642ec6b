import type { Input } from '../controller/door.ts';
import type { HubEffectOf, HubWork } from './work.ts';

/** Sets the hub up, or brings it up to date: integration begins at the target's tip. */
export async function setBase(effect: HubEffectOf<'base'>, { hub }: HubWork): Promise<Input> {
  return { is: 'based', key: effect.key, project: effect.project, integration: await hub.base() };
}
