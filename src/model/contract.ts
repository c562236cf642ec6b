import type { Attempt } from './attempt.ts';
import type { ProjectName } from './ids.ts';
import type { State } from './state.ts';
import type { Contract } from './task.ts';

/** Work of the project may begin: nobody has to decide on its contract first. */
export function isContractSettled(state: State, name: ProjectName): boolean {
  const project = state.projects.get(name);
  return project?.config.contract == null || project.contract?.changed == null;
}

/** The attempt was told to keep to another contract than the base has now. */
export function isOutdated({ contract: under }: Attempt, contract: Contract | null): boolean {
  if (contract === null) return false;
  return (under ?? null) !== (contract.changed === null ? contract.accepted : contract.changed.hash);
}
