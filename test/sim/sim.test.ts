import { describe as group, expect, test, vi } from 'vitest';
import { testSeed } from '../seed.ts';
import { PLANTS } from './plants.ts';
import { describe, simulate } from './run.ts';

/** What bounds a run is its steps; the clock would only fail a busy machine. */
vi.setConfig({ testTimeout: 15 * 60_000 });

const SEEDS = 100;
/** Seeds within which every planted bug has to show. */
const SEEDS_TO_FIND = 300;

test(`${SEEDS} seeds: nothing that must hold is ever broken, and all work comes to an end`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed);
    expect(outcome.violations, describe(outcome)).toEqual([]);
  }
});

test('so do ten more seeds, which DISPATCH_TEST_SEED chooses', async () => {
  const first = testSeed(1000);
  for (let seed = first; seed < first + 10; seed++) {
    const outcome = await simulate(seed);
    expect(outcome.violations, describe(outcome)).toEqual([]);
  }
});

test('the same seed gives the same run, byte for byte', async () => {
  for (const seed of [3, 14, 159]) {
    const [one, other] = [await simulate(seed), await simulate(seed)];
    expect(other).toEqual(one);
  }
  expect((await simulate(3)).digest).not.toBe((await simulate(4)).digest);
});

group('a planted bug is found', () => {
  for (const [name, { plant, shows }] of Object.entries(PLANTS)) {
    test(name, async () => {
      for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
        const { violations } = await simulate(seed, plant);
        if (violations.some((violation) => shows.test(violation))) return;
      }
      expect.fail(`${SEEDS_TO_FIND} seeds did not show it`);
    });
  }
});
