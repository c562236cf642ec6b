/**
 * What the merge queue costs and how long it takes: its planner over 1,000 branches for failure rates, flake rates and
 * numbers of gate slots, against one-by-one, batch-of-five, halving and the entropy bound. `tsx bench/queue.ts [seeds]`
 * prints means over the seeds; times are in gate runs, so the machine does not matter.
 */
import { runLine } from '../test/merge/queue/line.ts';
import {
  batchOfFive,
  entropyBound,
  halving,
  oneByOne,
  type OtherResult,
} from '../test/merge/queue/others.ts';

const BRANCHES = 1000;
const BAD = [0, 0.02, 0.1, 0.3];
const FLAKES = [0, 0.015];
const SLOTS = [1, 2, 4, 8];
const SEEDS = Array.from({ length: Number(process.argv[2] ?? 20) }, (_, at) => at + 1);

for (const flakeRate of FLAKES) {
  for (const badRate of BAD) {
    console.log(`\n${badRate * 100} % bad, ${flakeRate * 100} % flakes`);
    console.log(
      '                      runs/merged  makespan  landed at: median  95th  good refused: mean  worst seed',
    );
    for (const slots of SLOTS) ours(slots, badRate, flakeRate);
    other('one by one', badRate, flakeRate, oneByOne);
    other('batch of five', badRate, flakeRate, batchOfFive);
    for (const size of [4, 32]) {
      other(`halving from ${size}`, badRate, flakeRate, (options) => halving(options, size));
    }
    console.log(`entropy bound         ${entropyBound(badRate).toFixed(3)}`);
  }
}

console.log(
  "\nareas: branches within one each, no flakes; an area's gate takes as long as a whole one, or its part of it",
);
console.log(
  `${'runs/merged (makespan)'.padEnd(34)}${BAD.map((bad) => `${bad * 100} % bad`.padEnd(16)).join('')}`,
);
for (const slots of [2, 4, 8]) {
  for (const [areas, areaTime] of [
    [1, 1],
    [2, 1],
    [2, 0.5],
    [4, 0.25],
  ] as const) {
    const cells = BAD.map((badRate) => {
      const results = SEEDS.map((seed) =>
        runLine({ branches: BRANCHES, badRate, flakeRate: 0, slots, seed, areas, areaTime }),
      );
      if (results.some(({ slipped }) => slipped > 0)) throw new Error('a bad branch merged');
      const perMerged = mean(results.map(({ runs, merged }) => runs / merged)).toFixed(3);
      return `${perMerged} (${mean(results.map(({ makespan }) => makespan)).toFixed(0)})`.padEnd(16);
    });
    const what = areas === 1 ? 'no areas' : `${areas} areas, a gate ${areaTime}`;
    console.log(`${`${slots} slots, ${what}`.padEnd(34)}${cells.join('')}`);
  }
}

function ours(slots: number, badRate: number, flakeRate: number): void {
  const results = SEEDS.map((seed) => runLine({ branches: BRANCHES, badRate, flakeRate, slots, seed }));
  const slipped = results.reduce((sum, { slipped: bad }) => sum + bad, 0);
  if (slipped > 0) throw new Error(`${slipped} bad branches merged`);
  const at = (part: number): number =>
    mean(
      results.map(
        ({ landedAt }) => landedAt.toSorted((a, b) => a - b)[Math.floor(landedAt.length * part)] ?? 0,
      ),
    );
  print(`dispatch, ${slots} slots`, results, [
    mean(results.map(({ makespan }) => makespan)).toFixed(0),
    at(0.5).toFixed(0),
    at(0.95).toFixed(0),
  ]);
}

function other(
  name: string,
  badRate: number,
  flakeRate: number,
  judge: (options: { branches: number; badRate: number; flakeRate: number; seed: number }) => OtherResult,
): void {
  const results = SEEDS.map((seed) => judge({ branches: BRANCHES, badRate, flakeRate, seed }));
  print(name, results, [mean(results.map(({ runs }) => runs)).toFixed(0), '', '']);
}

function print(name: string, results: readonly OtherResult[], times: readonly string[]): void {
  const [makespan = '', median = '', late = ''] = times;
  const perMerged = mean(results.map(({ runs, merged }) => runs / merged)).toFixed(3);
  const wronged = results.map((result) => result.wronged);
  console.log(
    `${name.padEnd(22)}${perMerged.padEnd(13)}${makespan.padEnd(10)}${median.padStart(17)}${late.padStart(6)}` +
      `${mean(wronged).toFixed(1).padStart(20)}${String(Math.max(...wronged)).padStart(12)}`,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
