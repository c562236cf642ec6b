import type { CodeEntry } from '../exit.ts';

/** Codes raised by the node room. */
export const NODE_CODES = {} as const satisfies Record<`E_${string}`, CodeEntry>;
