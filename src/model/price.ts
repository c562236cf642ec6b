/**
 * What a model's tokens cost. Prices are data that a home may override; money that is computed here is an estimate from a
 * list, beside what an agent itself reports. What is not known stays unknown: a missing price is never zero.
 */
import type { Usage } from './attempt.ts';
import type { ExecutorDef } from './executor.ts';

/** US dollars per million tokens. `cached`: of input that the provider read from its cache. */
export interface ModelPrice {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/** By the name of a model, or of an executor whose agent picks its model itself. */
export type PriceTable = Readonly<Record<string, ModelPrice>>;

const MILLION = 1_000_000;
/** Without a count of its own, a sum of tokens is taken to be three parts in and one part out. */
const INPUT_SHARE = 0.75;

/**
 * The price of a model: under its own name, or under the longest name in the table that it continues
 * (`claude-sonnet-4-5-20250929` is priced as `claude-sonnet-4-5`), whatever the case and a provider's prefix.
 */
export function priceOf(name: string, table: PriceTable): ModelPrice | null {
  const wanted = plain(name);
  let found: { readonly length: number; readonly price: ModelPrice } | null = null;
  for (const [model, price] of Object.entries(table)) {
    const known = plain(model);
    if (!continues(wanted, known) || (found !== null && known.length <= found.length)) continue;
    found = { length: known.length, price };
  }
  return found?.price ?? null;
}

/** The price of an executor: of the model that it names, else under its own name, else of its kind of agent. */
export function priceOfExecutor(
  def: Pick<ExecutorDef, 'name' | 'kind' | 'model' | 'env'> | undefined,
  name: string,
  table: PriceTable,
): ModelPrice | null {
  const model = def === undefined ? null : modelOf(def);
  if (model !== null) return priceOf(model, table);
  const own = priceOf(name, table);
  return own !== null || def === undefined || def.kind === 'shell' ? own : priceOf(def.kind, table);
}

/** Claude Code is pointed at another provider's models by its environment. */
function modelOf({ model, env }: Pick<ExecutorDef, 'model' | 'env'>): string | null {
  return model ?? env.ANTHROPIC_MODEL ?? env.ANTHROPIC_DEFAULT_SONNET_MODEL ?? null;
}

/** US dollars of a use; null when it counts neither input nor output. */
export function costOf({ inputTokens, outputTokens, cachedTokens }: Usage, price: ModelPrice): number | null {
  if (inputTokens === null && outputTokens === null) return null;
  const sum =
    (inputTokens ?? 0) * price.input +
    (cachedTokens ?? 0) * price.cached +
    (outputTokens ?? 0) * price.output;
  return sum / MILLION;
}

/** US dollars of so many tokens of which nobody knows yet what they will be. */
export function roughCostOf(tokens: number, price: ModelPrice): number {
  return (tokens * (INPUT_SHARE * price.input + (1 - INPUT_SHARE) * price.output)) / MILLION;
}

function plain(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).toLowerCase();
}

function continues(name: string, known: string): boolean {
  return name === known || (name.startsWith(known) && /[-.:@]/.test(name.charAt(known.length)));
}
