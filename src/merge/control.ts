/** What the hub does so that a gate can be tried on a broken copy; what comes of it is the controller's to decide. */
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

export async function inspect(effect: HubEffectOf<'inspect'>, { hub }: HubWork): Promise<HubResult> {
  const { key, project, commit, commands } = effect;
  return { is: 'inspected', key, project, commit, ...(await hub.inspectGates(commit, commands)) };
}

export async function breakOnPurpose(effect: HubEffectOf<'break'>, { hub }: HubWork): Promise<HubResult> {
  const { key, project, base, verify, keep } = effect;
  return { is: 'copy.broken', key, project, verify, base, ...(await hub.breakCopy(base, verify, keep)) };
}
