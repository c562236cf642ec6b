/** How long to wait before a node is tried again. Pure: the caller brings the randomness. */

export interface BackoffLimits {
  /** First wait after a failure, milliseconds; doubles with each further one. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Wait after the second refused login; doubles, because servers punish sources that keep failing. */
  readonly authMs: number;
  readonly authMaxMs: number;
}

export const BACKOFF: BackoffLimits = { minMs: 500, maxMs: 30_000, authMs: 60_000, authMaxMs: 1_800_000 };

export interface Failures {
  /** Failures in a row, this one included. */
  readonly total: number;
  /** Refused logins since the last one that was taken. */
  readonly auth: number;
}

/**
 * A server that punishes refused logins also closes the door without a word (OpenSSH 9.8, PerSourcePenalties), which looks
 * like any other failure; so after two of them only time helps, whatever comes next.
 * @param random in [0, 1): spreads a fleet that lost its links at the same moment.
 */
export function waitBefore(failures: Failures, random: number, limits: BackoffLimits = BACKOFF): number {
  if (failures.auth >= 2) {
    const wait = Math.min(limits.authMaxMs, limits.authMs * 2 ** Math.min(failures.auth - 2, 20));
    return wait * (1 + 0.1 * random);
  }
  const wait = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(failures.total - 1, 20));
  return wait * (0.5 + 0.5 * random);
}
