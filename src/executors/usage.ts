import type { Usage } from '../model/attempt.ts';

/** The sum of two rounds. A figure that one of them does not know is unknown in the sum: a missing figure is never zero. */
export function addUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return null;
  return {
    inputTokens: sum(a.inputTokens, b.inputTokens),
    outputTokens: sum(a.outputTokens, b.outputTokens),
    cachedTokens: sum(a.cachedTokens, b.cachedTokens),
    costUsd: sum(a.costUsd, b.costUsd),
  };
}

/**
 * The JSON that a shell executor may write to `$DISPATCH_USAGE_FILE`: an object with any of `inputTokens`,
 * `outputTokens`, `cachedTokens` and `costUsd`. Null when the text is no such object or holds none of the figures; a
 * figure that is missing, negative or not a number is null.
 */
export function readUsageFile(text: string): Usage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  return usageOf(value.inputTokens, value.outputTokens, value.cachedTokens, value.costUsd);
}

/** A Usage of untrusted figures; null when none of them is known. */
export function usageOf(input: unknown, output: unknown, cached: unknown, cost: unknown): Usage | null {
  const usage: Usage = {
    inputTokens: figure(input),
    outputTokens: figure(output),
    cachedTokens: figure(cached),
    costUsd: figure(cost),
  };
  return Object.values(usage).every((value) => value === null) ? null : usage;
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function figure(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
