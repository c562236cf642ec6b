/**
 * List prices of the models that the built-in executors use, US dollars per million tokens, as of PRICES_AS_OF. Prices
 * change, and plans and discounts are not in a list: check yours, and write what you pay under `prices` of dispatch.yaml.
 */
import type { PriceTable } from './price.ts';

export const PRICES_AS_OF = '2026-11';

export const BUILT_IN_PRICES: PriceTable = {
  'claude-opus-4': { input: 15, cached: 1.5, output: 75 },
  'claude-opus-4-5': { input: 5, cached: 0.5, output: 25 },
  'claude-opus-4-6': { input: 5, cached: 0.5, output: 25 },
  'claude-sonnet-4': { input: 3, cached: 0.3, output: 15 },
  'claude-haiku-4-5': { input: 1, cached: 0.1, output: 5 },
  'gpt-5': { input: 1.25, cached: 0.125, output: 10 },
  'gpt-5-mini': { input: 0.25, cached: 0.025, output: 2 },
  'gemini-2.5-pro': { input: 1.25, cached: 0.125, output: 10 },
  'gemini-2.5-flash': { input: 0.3, cached: 0.03, output: 2.5 },
  'glm-4.6': { input: 0.6, cached: 0.11, output: 2.2 },
  'glm-4.7': { input: 0.6, cached: 0.11, output: 2.2 },
  'glm-5': { input: 1, cached: 0.2, output: 3.2 },
  'glm-5.3': { input: 1.4, cached: 0.26, output: 4.4 },
  'glm-5.3-flash': { input: 0.15, cached: 0.03, output: 0.5 },
  'minimax-m2': { input: 0.3, cached: 0.03, output: 1.2 },
  'minimax-m3': { input: 0.3, cached: 0.03, output: 1.2 },
  'qwen3-coder-plus': { input: 1, cached: 0.1, output: 5 },
  // Agents that pick a model themselves, at the price of the one that they begin with.
  claude: { input: 3, cached: 0.3, output: 15 },
  codex: { input: 1.25, cached: 0.125, output: 10 },
  gemini: { input: 1.25, cached: 0.125, output: 10 },
};
