/** Every way in which a model gives no answer, and how each is told to a person. */
import { assertNever } from '../model/assert.ts';
import { DispatchError } from '../model/error.ts';
import type { ModelUse } from '../model/model-use.ts';
import { formatDuration } from '../model/time.ts';

export type ModelFailure =
  | { readonly is: 'key-missing' }
  | { readonly is: 'key-refused'; readonly said: string }
  | { readonly is: 'account'; readonly said: string }
  | { readonly is: 'unknown'; readonly said: string }
  /** `tries`: how often it was asked. */
  | { readonly is: 'busy'; readonly said: string; readonly tries: number }
  | { readonly is: 'unreachable'; readonly said: string }
  | { readonly is: 'cut'; readonly said: string; readonly tries: number }
  /** `silent`: nothing came; otherwise it came, and did not end. */
  | { readonly is: 'timeout'; readonly silent: boolean }
  | { readonly is: 'too-long' }
  | { readonly is: 'refusal'; readonly said: string }
  /** The answer as far as it can be read, for whoever tells the model what is wrong with it. */
  | { readonly is: 'answer'; readonly said: string; readonly text: string }
  | { readonly is: 'request'; readonly said: string }
  /** The caller's signal. */
  | { readonly is: 'stopped' };

/** The failure as an error for a person. `stopped` has no code: who stopped it knows. */
export function modelError(failure: Exclude<ModelFailure, { is: 'stopped' }>, use: ModelUse): DispatchError {
  const where = `${use.provider}, model ${use.model}, at ${use.baseUrl}`;
  const section = `models.${use.purpose} in dispatch.yaml`;
  switch (failure.is) {
    case 'key-missing':
      return new DispatchError('E_MODEL_KEY_MISSING', `${use.keyEnv ?? 'the key'} is not set`, {
        where,
        fix: `export ${use.keyEnv ?? 'KEY'}=…   (or name another variable: key_env under ${section})`,
      });
    case 'key-refused':
      return new DispatchError('E_MODEL_KEY', `${use.provider} does not accept the key`, {
        where,
        why: failure.said,
        fix: `look at what ${use.keyEnv ?? 'the key’s variable'} holds, and at base_url under ${section}`,
      });
    case 'account':
      return new DispatchError('E_MODEL_ACCOUNT', `the account at ${use.provider} has nothing left`, {
        where,
        why: failure.said,
        fix: `top it up, or name another provider under ${section}`,
      });
    case 'unknown':
      return new DispatchError('E_MODEL_UNKNOWN', `${use.provider} does not know ${use.model}`, {
        where,
        why: failure.said,
        fix: `mend model or base_url under ${section}`,
      });
    case 'busy':
      return new DispatchError('E_MODEL_BUSY', `${use.provider} refuses for now`, {
        where,
        why: `asked ${failure.tries} times; at last: ${failure.said}`,
        fix: 'run the same command later; nothing was written',
      });
    case 'unreachable':
      return new DispatchError('E_MODEL_UNREACHABLE', `${use.provider} cannot be reached`, {
        where,
        why: failure.said,
        fix: `look at the network, or at base_url under ${section}`,
      });
    case 'cut':
      return new DispatchError('E_MODEL_CUT', 'the answer broke off in the middle', {
        where,
        why: `asked ${failure.tries} times; at last: ${failure.said}`,
        fix: 'run the same command again; nothing was written',
      });
    case 'timeout':
      return new DispatchError('E_MODEL_TIMEOUT', 'the answer took too long', {
        where,
        why: failure.silent
          ? `nothing came for ${formatDuration(use.silenceMs)}`
          : `it had not ended after ${formatDuration(use.timeoutMs)}`,
        fix: `raise ${failure.silent ? 'silence' : 'timeout'} under ${section}`,
      });
    case 'too-long':
      return new DispatchError('E_MODEL_TOO_LONG', 'the answer is longer than it may be', {
        where,
        why: `max_output_tokens is ${use.maxOutputTokens}`,
        fix: `raise max_output_tokens under ${section}, or ask for less at a time`,
      });
    case 'refusal':
      return new DispatchError('E_MODEL_REFUSAL', `${use.model} declines to answer`, {
        where,
        why: failure.said,
        fix: `say it in other words, or name another model under ${section}`,
      });
    case 'answer':
      return new DispatchError('E_MODEL_ANSWER', `${use.model} answers something else than was asked for`, {
        where,
        why: failure.said,
        fix: `name a stronger model, or structured: none, under ${section}`,
      });
    case 'request':
      return new DispatchError('E_MODEL_REQUEST', `${use.provider} refuses the request`, {
        where,
        why: failure.said,
        fix: 'dispatch explain E_MODEL_REQUEST',
      });
    default:
      return assertNever(failure);
  }
}
