import type { CommitId, Token } from '../model/ids.ts';
import type { HubEffectOf, HubResult } from './door.ts';
import type { HubWork } from './work.ts';

/**
 * Moves integration to the tree that passed, if it is still where the stack began. A landing that happened before a
 * crash is found by what the history says about the attempts, and is not done twice.
 */
export async function land(effect: HubEffectOf<'land'>, { hub, attempt }: HubWork): Promise<HubResult> {
  const { key, project, tokens, onto, commit, undoes = [] } = effect;
  const labels = tokens.map((token) => ({
    ...attempt(token),
    token,
    ...(undoes.includes(token) ? { undoes: true as const } : {}),
  }));
  const sealed = await hub.seal(onto, commit, labels);
  const landed = await hub.land(onto, sealed);
  if (landed === 'landed') return { is: 'landed', key, project, tokens, onto, commit: sealed, before: false };
  const merged = await hub.landedTokens();
  const reverted = undoes.length === 0 ? new Map<Token, CommitId>() : await hub.landedTokens('reverted');
  const before = tokens
    .map((token) => (undoes.includes(token) ? reverted : merged).get(token))
    .find((one) => one !== undefined);
  if (before === undefined) return { is: 'land.raced', key, project };
  return { is: 'landed', key, project, tokens, onto, commit: before, before: true };
}
