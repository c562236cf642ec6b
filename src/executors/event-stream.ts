/** Reads a stream of JSON lines by rules: what a definition says about its events is all there is to know. */
import { stripControls } from '../gates/shorten.ts';
import type { Usage } from '../model/attempt.ts';
import type { EventMatch, EventPick, EventRules, UsageRules } from '../model/executor.ts';
import { apiErrorOf } from './api-error.ts';
import type { ExecutorOutcome } from './executor-outcome.ts';
import { type JsonEvent, jsonLines, valueAt } from './json-lines.ts';
import { addUsage, usageOf } from './usage.ts';

/** Reads the log of one round. Pure and tolerant: events that no rule names are skipped. */
export function readEventStream(rules: EventRules, log: string): ExecutorOutcome {
  let sessionId: string | null = null;
  let text: string | null = null;
  let error: string | null = null;
  let usage: Usage | null = null;
  let finished = false;
  for (const event of jsonLines(log)) {
    sessionId = picked(rules.session, event) ?? sessionId;
    const said = picked(rules.text, event);
    // Whatever was refused before, now the provider answers.
    if (said !== null) [text, error] = [said, null];
    error = picked(rules.error, event) ?? error;
    if (rules.usage !== null && matchesAny(rules.usage.when, event)) {
      const counted = countedIn(rules.usage, event);
      usage = rules.usage.counts === 'event' && usage !== null ? addUsage(usage, counted) : counted;
    }
    if (matchesAny(rules.finished, event)) finished = true;
  }
  return {
    usage: spent(usage) ? usage : null,
    sessionId,
    finished,
    apiError: error === null ? null : apiErrorOf(null, error),
    text,
  };
}

/** The last rule that finds a text speaks. */
function picked(picks: readonly EventPick[], event: JsonEvent): string | null {
  let found: string | null = null;
  for (const { when, at } of picks) {
    const value = matches(when, event) ? valueAt(event, at) : undefined;
    if (typeof value === 'string' && value !== '') found = stripControls(value);
  }
  return found;
}

function matchesAny(matchers: readonly EventMatch[], event: JsonEvent): boolean {
  return matchers.some((match) => matches(match, event));
}

function matches(match: EventMatch, event: JsonEvent): boolean {
  return Object.entries(match).every(([path, expected]) => valueAt(event, path) === expected);
}

/** What an event counts; null when it counts nothing. */
export function countedIn(rules: UsageRules, event: JsonEvent): Usage | null {
  if (!matchesAny(rules.when, event)) return null;
  const at = (path: string | null): unknown => (path === null ? null : valueAt(event, path));
  const [input, cached] = [at(rules.input), at(rules.cached)];
  const fresh =
    rules.inputHoldsCached && typeof input === 'number' && typeof cached === 'number'
      ? Math.max(0, input - cached)
      : input;
  return usageOf(fresh, at(rules.output), cached, at(rules.costUsd));
}

/** A turn that reports no token at all reports nothing: zeros that nobody counted are unknown. */
function spent(usage: Usage | null): boolean {
  if (usage === null) return false;
  return [usage.inputTokens, usage.outputTokens, usage.cachedTokens].some((n) => n !== null && n > 0);
}
