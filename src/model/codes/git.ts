import type { CodeEntry } from '../exit.ts';

/** Codes raised by the git room. */
export const GIT_CODES = {} as const satisfies Record<`E_${string}`, CodeEntry>;
