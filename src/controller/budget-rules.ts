/** What dispatch.yaml says of money, as the scheduler takes it. */
import type { BudgetRules } from '../model/budget.ts';
import { BUILT_IN_PRICES } from '../model/built-in-prices.ts';
import type { HomeConfig } from '../spec/parse-home.ts';
import { timezoneOf } from './timezone.ts';

/** A price of the file replaces the built-in one of the same name. */
export function budgetRules({ budget, report }: Pick<HomeConfig, 'budget' | 'report'>): BudgetRules {
  return { ...budget, prices: { ...BUILT_IN_PRICES, ...budget.prices }, timezone: timezoneOf(report) };
}
