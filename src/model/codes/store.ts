import type { CodeEntry } from '../exit.ts';

/** Codes raised by the store room. */
export const STORE_CODES = {} as const satisfies Record<`E_${string}`, CodeEntry>;
