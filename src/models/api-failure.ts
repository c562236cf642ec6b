/** What a provider's refusal, or the lack of an answer, means: in whose hands it is, and whether waiting mends it. */
import { APICallError } from 'ai';
import { apiErrorOf } from '../executors/api-error.ts';
import type { ModelFailure } from './failure.ts';
import { withoutKey } from './key.ts';

/** A failure without what it cost. */
export interface Verdict {
  readonly failure: ModelFailure;
  /** The same request may succeed; after how many milliseconds, where the provider said so. null: it will not. */
  readonly again: { readonly afterMs: number | null } | null;
}

/** What a provider's own words may take of an error. */
const LONGEST_SAID = 400;

/** @param began an answer had begun, so that its end is a cut. */
export function failureOf(error: unknown, key: string | null, began: boolean): Verdict {
  const said = (text: string): string => short(withoutKey(text, key));
  if (!APICallError.isInstance(error) || error.statusCode === undefined) {
    const words = said(reasonOf(error));
    if (began) return { failure: { is: 'cut', said: words, tries: 1 }, again: { afterMs: null } };
    const dropped = /ECONNRESET|EPIPE|UND_ERR_SOCKET|socket hang up|other side closed/.test(reasonOf(error));
    return { failure: { is: 'unreachable', said: words }, again: dropped ? { afterMs: null } : null };
  }
  const { statusCode: status, responseBody = '', responseHeaders = {}, message } = error;
  if (status < 300) {
    // An error inside of a stream that had begun with 200, or a body that is no stream.
    const known = apiErrorOf(null, `${message} ${responseBody}`);
    if (known.kind === 'rate' || known.kind === 'overload') return busy(said(message), responseHeaders, null);
    return { failure: { is: 'cut', said: said(message), tries: 1 }, again: { afterMs: null } };
  }
  // The SDK takes the message out of the body, where it knows the body's form.
  const words = said(`${status}: ${message}${responseBody.includes(message) ? '' : ` ${responseBody}`}`);
  const known = apiErrorOf(status, `${message} ${responseBody}`);
  if (NO_SUCH_MODEL.test(`${message} ${responseBody}`))
    return { failure: { is: 'unknown', said: words }, again: null };
  switch (known.kind) {
    case 'login':
      return { failure: { is: 'key-refused', said: words }, again: null };
    case 'account':
    case 'quota':
      return { failure: { is: 'account', said: words }, again: null };
    case 'rate':
    case 'overload':
      return busy(words, responseHeaders, known.retryAfterMs);
    default:
  }
  if (status === 404) return { failure: { is: 'unknown', said: words }, again: null };
  if (known.retryable) return busy(words, responseHeaders, known.retryAfterMs);
  return { failure: { is: 'request', said: words }, again: null };
}

/** Anthropic `model: x`, OpenAI `model_not_found`, Z.ai 1211, MiniMax `unknown model`. */
const NO_SUCH_MODEL =
  /model_not_found|unknown model|model\b[^.\n]{0,80}\b(?:does not exist|not found|not exist)|not_found_error[\s\S]{0,40}model:|模型不存在|"?code"?\s*:\s*"?1211\b/i;

function busy(said: string, headers: Record<string, string>, told: number | null): Verdict {
  return { failure: { is: 'busy', said, tries: 1 }, again: { afterMs: headerWait(headers) ?? told } };
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
function headerWait(headers: Record<string, string>): number | null {
  const exact = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers['retry-after'];
  if (text === undefined) return null;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : null;
}

/** An error's own words and those of its causes: fetch says only "fetch failed". */
function reasonOf(error: unknown): string {
  const words: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const code = 'code' in at && typeof at.code === 'string' ? ` (${at.code})` : '';
    words.push(`${at.message}${code}`);
    at = at.cause;
  }
  if (words.length > 0) return [...new Set(words)].join(': ');
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error));
}

/** On one line, and not long. */
export function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_SAID ? line : `${line.slice(0, LONGEST_SAID)}…`;
}
