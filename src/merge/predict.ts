import { DispatchError } from '../model/error.ts';
import type { CommitId } from '../model/ids.ts';
import type { Foreseen, HubEffectOf, HubResult } from './door.ts';
import { conflictsOn } from './merge.ts';
import type { HubWork } from './work.ts';

/**
 * Says of branches that wait for their turn, or for a person, whether they will merge: with integration first, for a
 * conflict with that is final, then with the end of the stack, for what is below that has been merged into it already.
 * Two merges in memory for each branch, however many others there are.
 */
export async function predict(effect: HubEffectOf<'predict'>, work: HubWork): Promise<HubResult> {
  const { key, project, tip, top } = effect;
  const branches: Foreseen[] = [];
  for (const { token, head } of effect.branches) {
    branches.push({ token, clash: await clashWith(tip === top ? [tip] : [tip, top], head, work) });
  }
  return { is: 'predicted', key, project, tip, top, branches };
}

async function clashWith(
  others: readonly CommitId[],
  head: CommitId,
  work: HubWork,
): Promise<Foreseen['clash']> {
  for (const onto of others) {
    const conflicts = await conflictsOn(onto, head, work).catch(unforeseeable);
    if (conflicts !== null) return { onto, conflicts };
  }
  return null;
}

/** What cannot be merged for another reason than a conflict is for the merge itself to say, when its turn has come. */
function unforeseeable(error: unknown): null {
  if (error instanceof DispatchError && error.code === 'E_MERGE_UNSOUND') return null;
  throw error;
}
