import { expect, test } from 'vitest';
import { runLine } from './line.ts';
import { batchOfFive, entropyBound, oneByOne } from './others.ts';

const SEEDS = [1, 2, 3, 4, 5];
const TWENTY = Array.from({ length: 20 }, (_, at) => at + 1);

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** Means over the seeds, each of 1,000 branches. */
function line(slots: number, badRate: number, flakeRate = 0) {
  const results = SEEDS.map((seed) => runLine({ branches: 1000, badRate, flakeRate, slots, seed }));
  expect(results.every(({ slipped, repeated }) => slipped === 0 && repeated === 0)).toBe(true);
  return {
    perMerged: mean(results.map(({ runs, merged }) => runs / merged)),
    makespan: mean(results.map(({ makespan }) => makespan)),
    wronged: mean(results.map(({ wronged }) => wronged)),
  };
}

test.each([
  [0, 0.04],
  [0.02, 0.25],
  [0.1, 0.75],
  [0.3, 1.45],
])(
  'two slots, %d bad: at most %d gate runs per merged branch, and never below what entropy asks',
  (bad, most) => {
    const { perMerged, wronged } = line(2, bad);
    expect(perMerged).toBeLessThan(most);
    expect(perMerged).toBeGreaterThan(entropyBound(bad));
    expect(wronged).toBe(0);
  },
);

test.each([
  [0.02, 80],
  [0.1, 240],
  [0.3, 240],
])('eight slots, %d bad: all through in at most %d gate times', (bad, most) => {
  expect(line(8, bad).makespan).toBeLessThan(most);
});

test.each([1, 2, 4, 8])(
  'with %d slots and flakes of 1.5 per cent hardly a good branch is refused',
  (slots) => {
    for (const bad of [0, 0.02, 0.1, 0.3]) expect(line(slots, bad, 0.015).wronged).toBeLessThan(1.5);
  },
);

test.each([
  [0.02, 0.25],
  [0.1, 0.75],
  [0.3, 1.45],
])(
  'of twenty lines at %d bad with flakes the worst refuses two good branches; without, at most %d runs per merged one',
  (badRate, most) => {
    const lines = (flakeRate: number) =>
      TWENTY.map((seed) => runLine({ branches: 1000, badRate, flakeRate, slots: 2, seed }));
    expect(Math.max(...lines(0.015).map(({ wronged }) => wronged))).toBeLessThanOrEqual(2);
    expect(mean(lines(0).map(({ runs, merged }) => runs / merged))).toBeLessThanOrEqual(most);
  },
);

test('it costs less than judging one by one, or in batches of five without flakes at low rates', () => {
  const options = { branches: 1000, badRate: 0.02, flakeRate: 0, seed: 1 };
  const { perMerged } = line(2, 0.02);
  for (const other of [oneByOne(options), batchOfFive(options)]) {
    expect(perMerged).toBeLessThan(other.runs / other.merged);
  }
});

test('two areas whose gates take half of a whole one: nothing bad merges, nobody good is refused, and all is through in less than 0.6 of the time', () => {
  for (const slots of [2, 8]) {
    for (const badRate of [0.02, 0.1, 0.3]) {
      const common = { branches: 1000, badRate, flakeRate: 0, slots, seed: 1 };
      const [areas, whole] = [runLine({ ...common, areas: 2, areaTime: 0.5 }), runLine(common)];
      expect(areas).toMatchObject({ slipped: 0, wronged: 0, merged: whole.merged });
      expect(areas.makespan).toBeLessThan(0.6 * whole.makespan);
    }
  }
});
