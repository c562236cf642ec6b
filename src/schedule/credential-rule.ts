/**
 * How many attempts a key may carry at once, learnt from its provider: additive increase, multiplicative decrease (Chiu and
 * Jain 1989, as in TCP). A refusal halves what was in flight and starts a back-off that doubles with every further one; a
 * success adds one attempt per whole window of successes, and an eighth of that where the next one is known to have been
 * too many: a key that carries one or two would otherwise be refused every other time.
 *
 * Two things keep it from falling too far. Attempts that started under the old bound are refused together: they are one
 * refusal. And a key that was refused for its login, its account or a quota is not too busy: its bound stays, and one
 * attempt at a time tries whether it is taken again.
 */
import type { RefusalKind } from '../model/attempt.ts';
import {
  type Credential,
  type CredentialDef,
  isOfAnotherTime,
  passes,
  sparedUntil,
} from '../model/credential.ts';

/** First back-off and the longest, milliseconds. */
const PATIENCE: Readonly<Record<RefusalKind, { readonly first: number; readonly most: number }>> = {
  rate: { first: 5_000, most: 5 * 60_000 },
  overload: { first: 15_000, most: 10 * 60_000 },
  quota: { first: 5 * 60_000, most: 3_600_000 },
  account: { first: 10 * 60_000, most: 3_600_000 },
  login: { first: 10 * 60_000, most: 3_600_000 },
};

export interface Refused {
  readonly why: RefusalKind;
  /** How long the provider asks to be left alone, milliseconds; null: it does not say. */
  readonly retryAfterMs: number | null;
  /** Wall clock when the attempt that was refused was given its key, and now. */
  readonly claimedAt: number;
  readonly now: number;
  /** Attempts with this key, the refused one included. */
  readonly inFlight: number;
}

type Bound = Pick<Credential, 'limit' | 'notBefore' | 'strikes'>;

/** How much slower it grows towards what was refused. */
const CAUTION = 8;

/** What a refusal makes of the key; null: it says nothing new. */
export function lowered(
  known: Credential | undefined,
  refused: Refused,
): (Bound & Pick<Credential, 'seen'>) | null {
  const { why, now } = refused;
  const asked = now + (refused.retryAfterMs ?? 0);
  if (known !== undefined && isBefore(refused.claimedAt, known, now)) {
    // It was on its way before the last refusal could be known of.
    if (asked <= known.notBefore) return null;
    return { limit: known.limit, seen: known.seen, notBefore: asked, strikes: known.strikes };
  }
  const strikes = (known?.strikes ?? 0) + 1;
  const { first, most } = PATIENCE[why];
  const notBefore = Math.max(asked, now + Math.min(most, first * 2 ** Math.min(20, strikes - 1)));
  if (!isBusy(why)) return { limit: known?.limit ?? null, seen: known?.seen ?? null, notBefore, strikes };
  const many = Math.min(Math.floor(known?.limit ?? Number.POSITIVE_INFINITY), refused.inFlight);
  return { limit: Math.max(1, Math.floor(many / 2)), seen: Math.max(1, many), notBefore, strikes };
}

/** The attempt was given its key before its last refusal. */
function isBefore(claimedAt: number, known: Credential, now: number): boolean {
  return claimedAt <= known.refused.at && !isOfAnotherTime(known, now);
}

export interface Succeeded {
  /** Wall clock when the attempt was given its key, and now. */
  readonly claimedAt: number;
  readonly now: number;
  /** Attempts with this key, the successful one included. */
  readonly inFlight: number;
  /** What executors.yaml allows. */
  readonly max: number | null;
}

/** What a success makes of the key; null: nothing. */
export function eased(
  known: Credential | undefined,
  { claimedAt, now, inFlight, max }: Succeeded,
): Bound | null {
  // A success that began before the last refusal proves nothing about what came after.
  if (known === undefined || isBefore(claimedAt, known, now)) return null;
  const { limit, seen, strikes } = known;
  // A window that is not used says nothing about a larger one; nor is there one above what is allowed.
  const full = limit !== null && inFlight >= Math.floor(limit) && limit < (max ?? Number.POSITIVE_INFINITY);
  if (!full && strikes === 0) return null;
  const step = full
    ? 1 / limit / (Math.floor(limit) + 1 >= (seen ?? Number.POSITIVE_INFINITY) ? CAUTION : 1)
    : 0;
  const most = Math.max(limit ?? 1, max ?? Number.POSITIVE_INFINITY);
  const more = limit === null ? null : Math.min(most, limit + step);
  return { limit: more, notBefore: 0, strikes: 0 };
}

/** Attempts that a key may carry at once now; infinite when nothing bounds it. */
export function allowance(
  known: Credential | undefined,
  { maxInFlight }: Pick<CredentialDef, 'maxInFlight'>,
  now: number,
): number {
  const max = maxInFlight ?? Number.POSITIVE_INFINITY;
  if (known === undefined) return max;
  if (sparedUntil(known, now) !== null) return 0;
  if (known.strikes > 0 && !isBusy(known.refused.why)) return Math.min(1, max);
  return Math.max(1, Math.min(max, Math.floor(known.limit ?? Number.POSITIVE_INFINITY)));
}

/** True while only a person can make it work: it is asked now and then all the same. */
export function needsPerson(known: Credential | undefined): boolean {
  return known !== undefined && known.strikes > 0 && !passes(known.refused.why);
}

/** Fewer at once would help. */
function isBusy(why: RefusalKind): boolean {
  return why === 'rate' || why === 'overload';
}
