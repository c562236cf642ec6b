/** The sections `budget` and `prices` of dispatch.yaml, and `budget` of project.yaml. */
import * as z from 'zod';
import { type Amount, type Bounds, DEFAULT_RESERVE_TOKENS } from '../model/budget.ts';
import type { PriceTable } from '../model/price.ts';
import { count, name } from './fields.ts';

const MOST_TOKENS = 1_000_000_000_000;
const dollars = z.number().positive().max(1_000_000_000);

const amount = z
  .strictObject({
    tokens: count(1, MOST_TOKENS).optional().describe('Tokens in and out.'),
    usd: dollars.optional().describe('US dollars.'),
  })
  .refine((value) => value.tokens !== undefined || value.usd !== undefined, {
    message: 'needs `tokens` or `usd`',
    params: { code: 'E_SPEC_VALUE' },
  });

const bounds = {
  day: amount.optional().describe('Of each day: `{ usd: 20 }`.'),
  total: amount.optional().describe('For good: `{ usd: 200, tokens: 50000000 }`.'),
};

/** Of a spec. */
export const specBudget = z.strictObject({ tokens: count(1, MOST_TOKENS) });

export const projectBudget = z.strictObject({
  tokens: count(1, MOST_TOKENS)
    .optional()
    .describe('Of one attempt, for specs that name none: it is ended when its agent reports more.'),
  task: amount.optional().describe('Of each task, all its attempts together: `{ usd: 5, tokens: 2000000 }`.'),
  ...bounds,
});

export const homeBudget = z
  .strictObject({
    ...bounds,
    reserve: count(1, MOST_TOKENS)
      .optional()
      .describe(
        `Tokens reserved for an agent’s attempt when neither history nor its spec says how many; ${DEFAULT_RESERVE_TOKENS}.`,
      ),
    credentials: z
      .record(name('credential name'), z.strictObject(bounds))
      .optional()
      .describe('By key: `{ glm: { day: { usd: 10 } } }`.'),
  })
  .describe('What all projects together, or a key, may use: `{ day: { usd: 50 } }`.');

const price = z.strictObject({
  in: z.number().nonnegative().max(1_000_000).describe('Of input.'),
  cached: z
    .number()
    .nonnegative()
    .max(1_000_000)
    .optional()
    .describe('Of input read from the provider’s cache; as other input by default.'),
  out: z.number().nonnegative().max(1_000_000).describe('Of output.'),
});

export const pricesSection = z
  .record(z.string().min(1).max(200), price)
  .describe(
    'US dollars per million tokens, by model or executor, over the built-in list: `{ glm-5.3: { in: 1.4, cached: 0.26, out: 4.4 } }`.',
  );

/** What dispatch.yaml says of budgets. */
export interface HomeBudget {
  readonly home: Bounds;
  readonly credentials: Readonly<Record<string, Bounds>>;
  readonly reserveTokens: number;
  /** Over the built-in list. */
  readonly prices: PriceTable;
}

export function homeBudgetOf(
  budget: z.infer<typeof homeBudget> = {},
  prices: z.infer<typeof pricesSection> = {},
): HomeBudget {
  const keys = Object.entries(budget.credentials ?? {}).map(([key, said]) => [key, boundsOf(said)] as const);
  const listed = Object.entries(prices).map(([model, { in: input, cached = input, out: output }]) => {
    return [model, { input, cached, output }] as const;
  });
  return {
    home: boundsOf(budget),
    credentials: Object.fromEntries(keys),
    reserveTokens: budget.reserve ?? DEFAULT_RESERVE_TOKENS,
    prices: Object.fromEntries(listed),
  };
}

/** null: none is said. */
export function projectBoundsOf(budget: z.infer<typeof projectBudget> | undefined): Bounds | null {
  return budget?.day === undefined && budget?.total === undefined ? null : boundsOf(budget);
}

/** What each task may use; null: no bound is said. */
export function taskBoundOf(budget: z.infer<typeof projectBudget> | undefined): Amount | null {
  return amountOf(budget?.task);
}

type Said = z.infer<typeof amount> | undefined;

function boundsOf({ day, total }: { readonly day?: Said; readonly total?: Said }): Bounds {
  return { day: amountOf(day), total: amountOf(total) };
}

function amountOf(said: Said): Amount | null {
  return said === undefined ? null : { tokens: said.tokens ?? null, usd: said.usd ?? null };
}
