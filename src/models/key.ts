/** Keys: read by name, never shown. Whatever a provider says passes `withoutKey` before anybody sees it. */
import type { ModelFailure } from './failure.ts';

const MASK = '***';
/** Shorter texts would blank out ordinary words; no provider has keys that short. */
const SHORTEST = 8;

/** The text without the key, also as a part of an address or in base64. */
export function withoutKey(text: string, key: string | null): string {
  if (key === null || key.length < SHORTEST) return text;
  const forms = [key, encodeURIComponent(key), Buffer.from(key).toString('base64').replace(/=+$/, '')];
  return forms.reduce((left, form) => left.replaceAll(form, MASK), text);
}

/** The value as a header may carry it, or why it cannot be a key. */
export function usableKey(value: string | undefined): { key: string } | { failure: ModelFailure } {
  const key = value?.trim() ?? '';
  if (key === '') return { failure: { is: 'key-missing' } };
  if (!/^[\x21-\x7e]+$/.test(key))
    return {
      failure: { is: 'key-refused', said: 'the variable holds blanks or characters that no key has' },
    };
  return { key };
}
