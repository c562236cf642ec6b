/**
 * Tells a provider's refusals apart: those that pass by themselves (rate limits, overload, network) and those that need
 * a person (key, plan, model name). Providers behind the same protocol put their own codes into the message, and some
 * answer 429 for an empty account, so the code outranks the status.
 */
import type { RefusalKind } from '../model/attempt.ts';

export interface ApiError {
  /** HTTP status; null when there was no answer, or none was reported. */
  readonly status: number | null;
  /** True: the same call may succeed later. False: a person has to act. */
  readonly retryable: boolean;
  /** Whether it is about the key rather than about this one call; null: it is not. */
  readonly kind: RefusalKind | null;
  /** How long the provider asks to be left alone, milliseconds; null: it does not say. */
  readonly retryAfterMs: number | null;
  /** One line, as the provider or the agent put it. */
  readonly message: string;
}

/** Classifies a refusal by its status, or, where that is null, by what the message says. */
export function apiErrorOf(status: number | null, message: string): ApiError {
  const line = message.replace(/\s+/g, ' ').trim();
  const known = PROVIDER_CODES[providerCode(line) ?? ''] ?? null;
  const real = status ?? known?.status ?? statusIn(line);
  const kind = known?.kind ?? kindOf(real, line);
  const retryable = known === null && kind === null ? mayPass(real, line) : passes(kind);
  return { status: real, retryable, kind, retryAfterMs: retryAfterIn(line), message: line };
}

/** A key that a person has to mend does not mend itself. */
function passes(kind: RefusalKind | null): boolean {
  return kind !== 'login' && kind !== 'account';
}

/** Words outrank the status: providers answer 429 for an empty account too. */
function kindOf(status: number | null, message: string): RefusalKind | null {
  if (EMPTY_ACCOUNT.test(message)) return retryAfterIn(message) === null ? 'account' : 'quota';
  if (/usage limit|you'?ve (?:hit|reached) your/i.test(message)) return 'quota';
  switch (status) {
    case 401:
    case 403:
      return 'login';
    case 402:
      return 'account';
    case 429:
      return 'rate';
    case 503:
    case 529:
      return 'overload';
    case null:
      if (KEY_REFUSED.test(message)) return 'login';
      if (/overloaded|experiencing high demand/i.test(message)) return 'overload';
      return /rate.?limit|too many requests/i.test(message) ? 'rate' : null;
    default:
      return null;
  }
}

/** Anthropic, OpenAI and Google, where an agent passes on their words alone. */
const KEY_REFUSED =
  /authentication_error|\bUNAUTHENTICATED\b|API_KEY_INVALID|invalid x-api-key|(?:invalid|incorrect|missing) api key|api key (?:not valid|expired|is invalid)/i;

/** What providers say of an account that has no money or plan left. */
const EMPTY_ACCOUNT =
  /credit balance|insufficient[ _](?:balance|quota)|quota exceeded permanently|plan and billing|billing[ _](?:error|hard limit)/i;

/** `retry after 12s`, `Please try again in 1.5 minutes`, `"retryDelay": "27s"`, `retry-after: 30`. */
function retryAfterIn(message: string): number | null {
  const found =
    /(?:retry|try again)[-_ ]?(?:after|in|delay)["':\s]{1,4}(\d+(?:\.\d+)?)\s*(ms|milliseconds?|m\b|min|h\b|hour)?/i.exec(
      message,
    );
  if (found === null) return null;
  const unit = (found[2] ?? 's').toLowerCase();
  const ms =
    unit.startsWith('ms') || unit.startsWith('milli')
      ? 1
      : unit.startsWith('m')
        ? 60_000
        : unit.startsWith('h')
          ? 3_600_000
          : 1000;
  return Math.min(LONGEST_WAIT_MS, Math.round(Number(found[1]) * ms));
}

const LONGEST_WAIT_MS = 24 * 3_600_000;

/** True when the text is the message of a refused call rather than something the agent says about its work. */
export function looksRefused(message: string): boolean {
  return REFUSED.test(message);
}

const REFUSED =
  /^\[?(?:failed to authenticate|api error|invalid api key|not logged in|credit balance is too low|prompt is too long|claude (?:ai )?usage limit|you'?ve (?:hit|reached) your|oauth token|please run \/login|there'?s an issue with the selected model|unable to connect|connection error|request timed out)/i;

/**
 * Z.ai's business codes (docs.z.ai, api reference, errors): 1302 too many requests at once, 1303 too frequent, 1304 and
 * 1308 a quota that comes back, 1305 overload, 1113 no balance, 1309 plan ended, 1310 weekly or monthly quota, 1000 to 1004 the key.
 */
const PROVIDER_CODES: Readonly<Record<string, { status: number; kind: RefusalKind }>> = {
  1000: { status: 401, kind: 'login' },
  1001: { status: 401, kind: 'login' },
  1002: { status: 401, kind: 'login' },
  1003: { status: 401, kind: 'login' },
  1004: { status: 401, kind: 'login' },
  1113: { status: 429, kind: 'account' },
  1302: { status: 429, kind: 'rate' },
  1303: { status: 429, kind: 'rate' },
  1304: { status: 429, kind: 'quota' },
  1305: { status: 429, kind: 'overload' },
  1308: { status: 429, kind: 'quota' },
  1309: { status: 429, kind: 'account' },
  1310: { status: 429, kind: 'quota' },
};

function providerCode(message: string): string | null {
  return /(?:["']?code["']?\s*[:=]\s*["']?|\[)(1\d{3})\b/.exec(message)?.[1] ?? null;
}

function statusIn(message: string): number | null {
  const found = /\b(?:API Error|HTTP|status(?: code)?)\b:?\D{0,24}\b([45]\d\d)\b/i.exec(message)?.[1];
  if (found !== undefined) return Number(found);
  if (/invalid api key|not logged in|run \/login|failed to authenticate|oauth token/i.test(message))
    return 401;
  if (/credit balance/i.test(message)) return 402;
  return /usage limit|you'?ve (?:hit|reached) your|rate.?limit/i.test(message) ? 429 : null;
}

function mayPass(status: number | null, message: string): boolean {
  if (status === null) return !/prompt is too long|selected model/i.test(message);
  return status === 408 || status === 409 || status === 425 || status >= 500;
}
