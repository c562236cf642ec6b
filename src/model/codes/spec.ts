import type { CodeEntry } from '../exit.ts';

/** Codes raised by the spec room. */
export const SPEC_CODES = {} as const satisfies Record<`E_${string}`, CodeEntry>;
