/**
 * Claude Code's `stream-json`: one JSON event a line. `system/init` names the session, `system/api_retry` tells of a
 * call that is being tried again, `assistant` carries what the model said, and `result` closes the turn. Two things to
 * know: a failed turn may close with `subtype: "success"` and `is_error: true`, and of a resumed session some versions
 * report the usage of the new turn alone and some of all turns.
 */
import type { Usage } from '../model/attempt.ts';
import { stripControls } from '../gates/shorten.ts';
import { type ApiError, apiErrorOf, looksRefused } from './api-error.ts';
import type { ExecutorOutcome } from './executor-outcome.ts';
import { type JsonEvent as Event, jsonLines } from './json-lines.ts';
import { addUsage, isRecord, usageOf } from './usage.ts';

/** Reads the stream of one round; the last `result` wins. */
export function readClaudeStream(log: string): ExecutorOutcome {
  let sessionId: string | null = null;
  let result: Event | null = null;
  let apiError: ApiError | null = null;
  /** What each answer of the main loop cost; one answer may take several events. */
  const answers = new Map<unknown, Usage | null>();
  for (const event of jsonLines(log)) {
    if (typeof event.session_id === 'string' && event.session_id !== '') sessionId = event.session_id;
    if (event.type === 'result') {
      result = event;
      apiError = resultError(event);
    } else if (event.type === 'system' && event.subtype === 'api_retry') {
      apiError = namedError(statusOf(event.error_status), textOf(event.error) ?? 'unknown', null);
    } else if (event.type === 'assistant') {
      apiError = assistantError(event);
      if (isRecord(event.message) && (event.parent_tool_use_id ?? null) === null)
        answers.set(event.message.id, tokensOf(event.message.usage));
    }
  }
  return {
    usage: result === null ? null : resultUsage(result),
    mainUsage: result === null ? null : mainOf(result, [...answers.values()]),
    sessionId,
    finished: result !== null,
    apiError,
    text: result === null ? null : textOf(result.result),
  };
}

/** The other closing errors (turn limit, budget) are the agent's own, not its provider's. */
function resultError(result: Event): ApiError | null {
  const said = textOf(result.result) ?? (isRecord(result.error) ? textOf(result.error.message) : null);
  // Qwen Code calls a turn that its provider refused a success.
  if (result.is_error !== true)
    return said?.startsWith('[API Error: ') === true ? apiErrorOf(null, said) : null;
  const status = statusOf(result.api_error_status);
  const message = said ?? `the turn ended with ${textOf(result.subtype) ?? 'an error'}`;
  const refused = status !== null || result.subtype === 'success' || looksRefused(message);
  return refused ? apiErrorOf(status, message) : null;
}

/** Claude Code puts a refusal into a message that no model wrote; any other message is proof that the provider answers. */
function assistantError(event: Event): ApiError | null {
  const name = textOf(event.error);
  const message = isRecord(event.message) ? event.message : {};
  if (name === null && message.model !== '<synthetic>') return null;
  const text = contentText(message.content);
  if (name === null && (text === null || !looksRefused(text))) return null;
  return namedError(null, name ?? 'unknown', text);
}

/** Claude Code's own names for refusals, in its retry events and synthetic messages. */
const NAMED: Readonly<Record<string, number>> = {
  authentication_failed: 401,
  billing_error: 402,
  invalid_request: 400,
  rate_limit: 429,
  server_error: 500,
  overloaded: 529,
};

function namedError(status: number | null, name: string, text: string | null): ApiError {
  const found = apiErrorOf(status, text ?? name);
  return found.status === null && NAMED[name] !== undefined ? apiErrorOf(NAMED[name], text ?? name) : found;
}

function contentText(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((part) =>
    isRecord(part) && typeof part.text === 'string' ? [part.text] : [],
  );
  return texts.length === 0 ? null : textOf(texts.join('\n'));
}

/**
 * `modelUsage` counts every model of the turn, subagents included; `usage` only the main loop. Input is what was sent
 * and not read from the cache. A turn that reports no token at all reports nothing: some providers leave usage out and
 * the client then fills in zeros.
 */
function resultUsage(result: Event): Usage | null {
  const perModel = isRecord(result.modelUsage) ? Object.values(result.modelUsage).filter(isRecord) : [];
  const usage =
    perModel.length > 0
      ? usageOf(
          total(perModel, 'inputTokens', 'cacheCreationInputTokens'),
          total(perModel, 'outputTokens'),
          total(perModel, 'cacheReadInputTokens'),
          result.total_cost_usd,
        )
      : mainUsage(result);
  const spent =
    usage !== null &&
    [usage.inputTokens, usage.outputTokens, usage.cachedTokens].some((n) => n !== null && n > 0);
  return spent ? usage : null;
}

/** Qwen Code names no models, and its one count is of the whole session: there the answers of this turn tell. */
function mainOf(result: Event, answers: readonly (Usage | null)[]): Usage | null {
  if (isRecord(result.modelUsage)) return mainUsage(result);
  const [first = null, ...others] = answers;
  return others.reduce(addUsage, first) ?? mainUsage(result);
}

function mainUsage(result: Event): Usage | null {
  return tokensOf(result.usage, result.total_cost_usd);
}

function tokensOf(usage: unknown, costUsd: unknown = null): Usage | null {
  const main = isRecord(usage) ? usage : {};
  return usageOf(
    total([main], 'input_tokens', 'cache_creation_input_tokens'),
    total([main], 'output_tokens'),
    total([main], 'cache_read_input_tokens'),
    costUsd,
  );
}

/** Sum of the fields over all records; null when the first field is missing anywhere. */
function total(records: readonly Event[], first: string, ...rest: string[]): number | null {
  let sum = 0;
  for (const record of records) {
    if (typeof record[first] !== 'number') return null;
    for (const field of [first, ...rest]) {
      const value = record[field];
      if (typeof value === 'number') sum += value;
    }
  }
  return sum;
}

function statusOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? stripControls(value) : null;
}
