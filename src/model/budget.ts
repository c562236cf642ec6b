/** What may be spent: bounds that a person sets, and what an attempt is counted for before anybody knows better. */
import type { PriceTable } from './price.ts';

/** Tokens in and out, and US dollars. In a bound null is "no bound", in a figure "not known", which is never zero. */
export interface Amount {
  readonly tokens: number | null;
  readonly usd: number | null;
}

/** null: there is no such bound. `day`: of each day; `total`: for good. */
export interface Bounds {
  readonly day: Amount | null;
  readonly total: Amount | null;
}

export const UNBOUNDED: Bounds = { day: null, total: null };

/** What is set for a home as a whole; a project's own bounds are in its configuration. */
export interface BudgetRules {
  readonly home: Bounds;
  /** By the name of a key. */
  readonly credentials: Readonly<Record<string, Bounds>>;
  /** Reserved for an agent's attempt when neither history nor its spec says how much it takes, tokens. */
  readonly reserveTokens: number;
  readonly prices: PriceTable;
  /** Where days begin and end, IANA name. */
  readonly timezone: string;
}

export const DEFAULT_RESERVE_TOKENS = 300_000;
/** Share of a bound from which on a person is told. */
export const ALERT_SHARE = 0.8;
