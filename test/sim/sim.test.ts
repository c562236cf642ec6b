import { describe as group, expect, test, vi } from 'vitest';
import { freshSeed } from '../seed.ts';
import { KINDS } from './kinds.ts';
import { PLANTS } from './plants.ts';
import { describe, simulate } from './run.ts';
import { shrink } from './shrink.ts';

/** What bounds a run is its steps; the clock would only fail a busy machine. */
vi.setConfig({ testTimeout: 15 * 60_000 });

const SEEDS = 25;
const FRESH = 10;
/** Seeds within which every planted bug has to show. */
const SEEDS_TO_FIND = 300;

test(`${SEEDS} simulated days: nothing that must hold is ever broken, and all work comes to an end`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed);
    expect(outcome.violations, describe(outcome)).toEqual([]);
    expect(outcome.elapsed).toBeGreaterThanOrEqual(24 * 60 * 60_000);
    // What is not listed would not be missed if it never came up.
    expect(outcome.struck.filter(({ kind }) => !KINDS.includes(kind))).toEqual([]);
  }
});

const first = freshSeed();
test(`so do ${FRESH} fresh ones, from ${first} on (DISPATCH_TEST_SEED=${first} for the same)`, async () => {
  console.log(`simulated days ${first} to ${first + FRESH - 1}: DISPATCH_TEST_SEED=${first} for the same`);
  for (let seed = first; seed < first + FRESH; seed++) {
    const outcome = await simulate(seed);
    expect(outcome.violations, describe(outcome)).toEqual([]);
  }
});

test('the same seed gives the same run, byte for byte, with all of its faults or with some', async () => {
  const [one, other] = [await simulate(3), await simulate(3)];
  expect(other).toEqual(one);
  expect((await simulate(4)).digest).not.toBe(one.digest);
  const only = new Set(one.struck.filter((_, index) => index % 2 === 0).map(({ id }) => id));
  const some = await simulate(3, { only });
  expect(some.struck.length).toBeGreaterThan(0);
  expect(some.struck.filter(({ id }) => !only.has(id))).toEqual([]);
  expect(some.digest).not.toBe(one.digest);
  expect(await simulate(3, { only })).toEqual(some);
});

test('of a run that fails, the few faults that are enough are found, and fail in the same way each time', async () => {
  const { plant, shows } = PLANTS['an attempt number is used again after a lost answer'] ?? {};
  if (plant === undefined || shows === undefined) return expect.fail('the planted bug is gone');
  const failed = await firstFailing(plant, shows);
  const { only, outcome, runs } = await shrink(
    failed,
    (ids) => simulate(failed.seed, { only: ids, plant }),
    60,
  );
  expect(outcome.violations.some((violation) => shows.test(violation))).toBe(true);
  expect(outcome.struck.length, describe(outcome, only)).toBeLessThanOrEqual(
    Math.min(5, failed.struck.length),
  );
  expect(runs).toBeLessThanOrEqual(60);
  const again = await simulate(failed.seed, { only: new Set(only), plant });
  expect(again).toEqual(outcome);
  expect(describe(outcome, only)).toContain(
    `dispatch sim --seed ${failed.seed} --only '${only.join(',') || 'none'}'`,
  );
});

group('a planted bug is found', () => {
  for (const [name, { plant, shows }] of Object.entries(PLANTS)) {
    test(name, async () => {
      await firstFailing(plant, shows);
    });
  }
});

async function firstFailing(
  plant: (typeof PLANTS)[string]['plant'],
  shows: RegExp,
): Promise<Awaited<ReturnType<typeof simulate>>> {
  for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
    const outcome = await simulate(seed, { plant });
    if (outcome.violations.some((violation) => shows.test(violation))) return outcome;
  }
  return expect.fail(`${SEEDS_TO_FIND} seeds did not show it`);
}
