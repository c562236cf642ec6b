import { assertNever } from '../model/assert.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Moves integration to the commit that passed, if it is still where the merge was made. A landing that happened before
 * a crash is found, by the commit or by what the history says about the attempt, and is not done twice.
 */
export async function land(effect: HubEffectOf<'land'>, { hub }: HubWork): Promise<HubResult> {
  const { key, token, onto, commit } = effect;
  const landed = await hub.land(onto, commit);
  switch (landed) {
    case 'landed':
    case 'already':
      return { is: 'landed', key, token, onto, commit };
    case 'raced': {
      const before = (await hub.landedTokens()).get(token);
      if (before === undefined) return { is: 'land.raced', key, token };
      return { is: 'landed', key, token, onto, commit: before };
    }
    default:
      return assertNever(landed);
  }
}
