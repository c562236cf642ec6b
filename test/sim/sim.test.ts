import { describe as group, expect, test, vi } from 'vitest';
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

test('so does a seed that nobody has seen before', async () => {
  const fresh = Math.floor(Math.random() * 2 ** 31);
  console.log(`fresh seeds ${fresh} to ${fresh + 9}; again: npx tsx scripts/sim.ts --seed ${fresh}`);
  for (let seed = fresh; seed < fresh + 10; seed++) {
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
