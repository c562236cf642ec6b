/**
 * Aider prints text. One line after each answer counts it: `Tokens: 12k sent, 3.4k cache hit, 321 received. Cost: $0.01
 * message, $0.02 session.` The figures of a line are rounded, and are its message's own.
 */
import { stripControls } from '../gates/shorten.ts';
import type { Usage } from '../model/attempt.ts';
import { apiErrorOf } from './api-error.ts';
import type { ExecutorOutcome } from './executor-outcome.ts';
import { addUsage, usageOf } from './usage.ts';

/** Reads the log of one round. It has no closing event: its exit says that the turn is over. */
export function readAiderText(log: string): ExecutorOutcome {
  let usage: Usage | null = null;
  let error: string | null = null;
  for (const line of log.split('\n')) {
    const counted = tokensIn(line);
    if (counted !== null) {
      usage = usage === null ? counted : addUsage(usage, counted);
      error = null;
      continue;
    }
    const failed = /^(?:litellm\.)?(\w*(?:Error|Exception))\b.*/.exec(stripControls(line).trim());
    if (failed !== null && PROVIDER_ERRORS.test(failed[1] ?? '')) error = failed[0];
  }
  return {
    usage,
    sessionId: null,
    finished: false,
    apiError: error === null ? null : apiErrorOf(STATUS[errorName(error)] ?? null, error),
    text: null,
  };
}

/** Names of LiteLLM's exceptions, which aider prints as they are. */
const PROVIDER_ERRORS =
  /^(?:\w*RateLimit|Authentication|PermissionDenied|ServiceUnavailable|InternalServer|APIConnection|API|Timeout|BudgetExceeded|BadRequest|NotFound)Error$/;
const STATUS: Readonly<Record<string, number>> = {
  RateLimitError: 429,
  AuthenticationError: 401,
  PermissionDeniedError: 403,
  BudgetExceededError: 402,
  ServiceUnavailableError: 503,
  InternalServerError: 500,
  BadRequestError: 400,
  NotFoundError: 404,
};

function errorName(text: string): string {
  return /(\w+Error)\b/.exec(text)?.[1] ?? '';
}

function tokensIn(line: string): Usage | null {
  const found = /^Tokens: (.*?)(?:\. Cost: \$([\d.]+) message.*)?$/.exec(line.trim());
  if (found === null) return null;
  const of = (what: string): number | null => {
    const figure = new RegExp(`([\\d.,]+)(k|M)? ${what}`).exec(found[1] ?? '');
    if (figure === null) return null;
    const unit = figure[2] === 'k' ? 1000 : figure[2] === 'M' ? 1_000_000 : 1;
    return Math.round(Number(figure[1]?.replaceAll(',', '')) * unit);
  };
  const cost = found[2] === undefined ? null : Number(found[2]);
  return usageOf(of('sent'), of('received'), of('cache hit'), cost);
}
