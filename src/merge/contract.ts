/** Which contract the base holds; what a change of it means is the controller's to decide. */
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

export async function readContract(effect: HubEffectOf<'contract'>, { hub }: HubWork): Promise<HubResult> {
  const { key, project, commit, path } = effect;
  return { is: 'contract.read', key, project, commit, path, hash: await hub.fileId(commit, path) };
}
