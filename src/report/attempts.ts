import type { Attempt, Usage } from '../model/attempt.ts';
import { tokensIn, usageOf } from '../model/usage.ts';
import type { TokenSum } from './model.ts';

export function isLive({ phase }: Attempt): boolean {
  return phase.is === 'claimed' || phase.is === 'running';
}

/** When the attempt ended or was given up; now, while it is alive. */
export function endOf({ phase }: Attempt, now: number): number {
  return phase.is === 'ended' || phase.is === 'fenced' ? phase.at : now;
}

/** How long the attempt took so far, milliseconds; nothing where the clock was set back meanwhile by more than that. */
export function spentOn(attempt: Attempt, now: number): number {
  return Math.max(0, endOf(attempt, now) - attempt.claimedAt);
}

/** First claim to the last end (now, while one is alive); null without attempts. */
export function spanOf(attempts: readonly Attempt[], now: number): { from: number; to: number } | null {
  if (attempts.length === 0) return null;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const attempt of attempts) {
    from = Math.min(from, attempt.claimedAt);
    to = Math.max(to, endOf(attempt, now));
  }
  return { from, to };
}

/** Rounds that the attempt took so far; null when its node has not told. */
export function roundsOf({ phase }: Attempt): number | null {
  if (phase.is === 'running') return phase.round;
  if (phase.is === 'ended' && 'rounds' in phase.outcome) return phase.outcome.rounds;
  return null;
}

/**
 * Adds up what the executors reported. An ended attempt without a figure is counted as unknown.
 * @param price US dollars of an attempt's usage; by default as reported.
 */
export function tokensOf(
  attempts: readonly Attempt[],
  price: (attempt: Attempt, usage: Usage) => number | null = (_, usage) => usage.costUsd,
): TokenSum {
  let total: number | null = null;
  let costUsd: number | null = null;
  let unknown = 0;
  for (const attempt of attempts) {
    if (attempt.work.kind !== 'work' || isLive(attempt)) continue;
    const usage = usageOf(attempt);
    const tokens = usage === null ? null : tokensIn(usage);
    if (tokens === null) unknown += 1;
    else total = (total ?? 0) + tokens;
    const cost = usage === null ? null : price(attempt, usage);
    if (cost !== null) costUsd = (costUsd ?? 0) + cost;
  }
  return { total, unknown, costUsd };
}
