import { describe, expect, test } from 'vitest';
import { BUILT_IN_PRICES } from '../../src/model/built-in-prices.ts';
import { costOf, priceOf, priceOfExecutor } from '../../src/model/price.ts';
import { builtinExecutors } from '../../src/executors/builtin.ts';

const TABLE = {
  'model-1': { input: 1, cached: 0.1, output: 10 },
  'model-1-mini': { input: 2, cached: 0.2, output: 20 },
  mine: { input: 3, cached: 0.3, output: 30 },
};

describe('the price of a model', () => {
  test.each([
    ['model-1', 1],
    ['MODEL-1', 1],
    ['provider/model-1-20260101', 1],
    ['model-1-mini-20260101', 2],
    ['model-11', null],
    ['other', null],
  ])('%s costs %j for a million tokens in', (name, input) => {
    expect(priceOf(name, TABLE)?.input ?? null).toBe(input);
  });

  test('is the executor’s own where it names no model, and its kind’s where that has none', () => {
    const plain = { env: {}, model: null };
    expect(priceOfExecutor({ ...plain, name: 'mine', kind: 'aider' }, 'mine', TABLE)?.input).toBe(3);
    expect(
      priceOfExecutor({ ...plain, name: 'x', kind: 'claude' }, 'x', { ...TABLE, claude: TABLE.mine }),
    ).toBe(TABLE.mine);
    expect(
      priceOfExecutor({ ...plain, model: 'other', name: 'mine', kind: 'aider' }, 'mine', TABLE),
    ).toBeNull();
  });

  test('is known of every built-in executor that begins with one model', () => {
    const known = Object.values(builtinExecutors()).filter(
      (def) => priceOfExecutor(def, def.name, BUILT_IN_PRICES) !== null,
    );
    expect(known.map(({ name }) => name)).toEqual(['claude', 'glm', 'minimax', 'codex', 'gemini', 'qwen']);
  });
});

test('a use costs what its parts cost; without a count its cost is not known', () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 100_000, cachedTokens: 2_000_000, costUsd: 99 };
  expect(costOf(usage, TABLE['model-1'])).toBeCloseTo(2.2, 10);
  expect(costOf({ ...usage, inputTokens: null, outputTokens: null }, TABLE['model-1'])).toBeNull();
});
