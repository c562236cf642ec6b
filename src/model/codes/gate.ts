import type { CodeEntry } from '../exit.ts';

/** Codes raised by the gate room. */
export const GATE_CODES = {} as const satisfies Record<`E_${string}`, CodeEntry>;
