/** What an attempt has used, as far as its agent reported it. */
import type { Attempt, Usage } from './attempt.ts';

/** null: not known, which is never zero. */
export function usageOf({ phase }: Attempt): Usage | null {
  return phase.is === 'ended' && 'usage' in phase.outcome ? (phase.outcome.usage ?? null) : null;
}

/** Tokens in and out; what came from a cache costs money and is no part of a count. Null: neither is known. */
export function tokensIn({ inputTokens, outputTokens }: Usage): number | null {
  if (inputTokens === null && outputTokens === null) return null;
  return (inputTokens ?? 0) + (outputTokens ?? 0);
}
