import type { Usage } from '../../model/attempt.ts';
import { costOf, priceOfExecutor, type PriceTable } from '../../model/price.ts';
import type { State } from '../../model/state.ts';

/** US dollars that a use of an executor cost; null: not known, which is never zero. */
export type Price = (executor: string, usage: Usage) => number | null;

/** What the executor said itself. */
export const asReported: Price = (_executor, { costUsd }) => costUsd;

/** By a list of prices; as reported where it has none. The state says which model an executor's name stands for. */
export function byList(state: State, table: PriceTable): Price {
  return (executor, usage) => {
    const defs = [...state.projects.values()].flatMap(({ config }) => config.executors[executor] ?? []);
    const price = priceOfExecutor(defs[0], executor, table);
    return (price === null ? null : costOf(usage, price)) ?? usage.costUsd;
  };
}
