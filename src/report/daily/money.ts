import type { Usage } from '../../model/attempt.ts';

/** US dollars that a use of an executor cost; null: not known, which is never zero. */
export type Price = (executor: string, usage: Usage) => number | null;

/** What the executor said itself. */
export const asReported: Price = (_executor, { costUsd }) => costUsd;
