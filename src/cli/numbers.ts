import { DispatchError } from '../model/error.ts';

/** A flag's value as a whole number from 0; null when the flag was not given. @throws DispatchError E_USAGE. */
export function wholeNumber(flag: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/u.test(value)) return Number(value);
  throw new DispatchError('E_USAGE', `${flag} takes a whole number, not ${JSON.stringify(value)}`);
}
