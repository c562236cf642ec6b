/** What an agent does that no agent should: each is drawn for one attempt, and told to nobody. */
import type { Outcome } from '../../src/model/attempt.ts';
import type { CommitId, Token } from '../../src/model/ids.ts';
import type { JournalFact } from '../../src/protocol/messages.ts';
import type { Rng } from './rng.ts';

export type Oddity =
  /** Its end is written twice, and the second time perhaps another one. */
  | 'twice'
  /** It leaves a process behind that goes on saying things and committing. */
  | 'daemon'
  /** It commits on top of something older than what it was given, or nothing at all. */
  | 'stray'
  /** It does not hear that it is to stop, and finishes. */
  | 'deaf';

export const ODDITIES: readonly Oddity[] = ['twice', 'daemon', 'stray', 'deaf'];

/** What follows the end of an odd attempt in the journal, and how much later, milliseconds. */
export function afterTheEnd(
  oddity: Oddity | null,
  { token, outcome, rng }: { readonly token: Token; readonly outcome: Outcome; readonly rng: Rng },
): { readonly after: number; readonly fact: JournalFact }[] {
  const after = rng.between(1, 30_000);
  if (oddity === 'twice') {
    const other: Outcome = rng.chance(0.5) ? outcome : { kind: 'lost', why: 'killed' };
    return [{ after, fact: { type: 'attempt.ended', token, outcome: other } }];
  }
  if (oddity !== 'daemon') return [];
  return [
    { after, fact: { type: 'attempt.step', token, round: 2, step: 'agent' } },
    { after: after + 5, fact: { type: 'attempt.moved', token } },
    { after: after + 9, fact: { type: 'attempt.noted', token, plan: null, evidence: 'said by a daemon' } },
  ];
}

/** Where a stray agent begins: not where it was told to. @param base what it was given. */
export function strayBase(base: CommitId, parents: readonly CommitId[]): CommitId {
  return parents[0] ?? base;
}
