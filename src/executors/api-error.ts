/**
 * Tells a provider's refusals apart: those that pass by themselves (rate limits, overload, network) and those that need
 * a person (key, plan, model name). Providers behind the same protocol put their own codes into the message, and some
 * answer 429 for an empty account, so the code outranks the status.
 */
export interface ApiError {
  /** HTTP status; null when there was no answer, or none was reported. */
  readonly status: number | null;
  /** True: the same call may succeed later. False: a person has to act. */
  readonly retryable: boolean;
  /** One line, as the provider or the agent put it. */
  readonly message: string;
}

/** Classifies a refusal by its status, or, where that is null, by what the message says. */
export function apiErrorOf(status: number | null, message: string): ApiError {
  const line = message.replace(/\s+/g, ' ').trim();
  const known = PROVIDER_CODES[providerCode(line) ?? ''] ?? null;
  const real = status ?? known?.status ?? statusIn(line);
  return { status: real, retryable: known?.retryable ?? mayPass(real, line), message: line };
}

/** True when the text is the message of a refused call rather than something the agent says about its work. */
export function looksRefused(message: string): boolean {
  return REFUSED.test(message);
}

const REFUSED =
  /^(?:failed to authenticate|api error|invalid api key|not logged in|credit balance is too low|prompt is too long|claude (?:ai )?usage limit|you'?ve (?:hit|reached) your|oauth token|please run \/login|there'?s an issue with the selected model|unable to connect|connection error|request timed out)/i;

/**
 * Z.ai's business codes (docs.z.ai, api reference, errors): 1302 too many requests at once, 1303 too frequent, 1304 and
 * 1308 a quota that comes back, 1305 overload, 1113 no balance, 1309 plan ended, 1310 weekly or monthly quota, 1000 to 1004 the key.
 */
const PROVIDER_CODES: Readonly<Record<string, { status: number; retryable: boolean }>> = {
  1000: { status: 401, retryable: false },
  1001: { status: 401, retryable: false },
  1002: { status: 401, retryable: false },
  1003: { status: 401, retryable: false },
  1004: { status: 401, retryable: false },
  1113: { status: 429, retryable: false },
  1302: { status: 429, retryable: true },
  1303: { status: 429, retryable: true },
  1304: { status: 429, retryable: true },
  1305: { status: 429, retryable: true },
  1308: { status: 429, retryable: true },
  1309: { status: 429, retryable: false },
  1310: { status: 429, retryable: true },
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
  if (/credit balance|insufficient balance|quota exceeded permanently/i.test(message)) return false;
  if (status === null) return !/prompt is too long|selected model/i.test(message);
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}
