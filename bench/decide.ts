/**
 * What one call of `decide` costs: 1,000, 10,000 and 100,000 startable tasks on 1,000 slots, in the situations a long
 * run goes through. `tsx bench/decide.ts` prints medians in milliseconds and the growth from one size to the next.
 */
import { World } from '../test/schedule/world.ts';
import { decide } from '../src/schedule/decide.ts';
import { statuses } from '../src/schedule/status.ts';
import { whyEach } from '../src/schedule/why.ts';

const NODES = 125;
const SLOTS = 8;
const SIZES = [1_000, 10_000, 100_000];

interface Situation {
  readonly name: string;
  /** Slots in use before the call. */
  readonly busy: number;
  /** Every n-th waiting task shares its file with a running one; 0 = none does. */
  readonly contended: number;
}

const SITUATIONS: readonly Situation[] = [
  { name: 'full: no slot free', busy: 1000, contended: 0 },
  { name: 'steady: 3 slots free', busy: 997, contended: 0 },
  { name: 'steady, every 2nd task locked', busy: 997, contended: 2 },
  { name: 'half: 500 slots free', busy: 500, contended: 0 },
  { name: 'empty: 1,000 slots free', busy: 0, contended: 0 },
  { name: 'stuck: 3 free, all tasks locked', busy: 997, contended: 1 },
];

function main(): void {
  console.log(`decide on ${NODES} nodes x ${SLOTS} slots, median ms by number of startable tasks`);
  console.log(row('', SIZES.map(String), 'growth'));
  for (const situation of SITUATIONS) {
    const medians = SIZES.map((size) => {
      const world = build(size, situation);
      return median(size, () => decide(world.snapshot(), world.now));
    });
    console.log(row(situation.name, medians.map(ms), growth(medians)));
  }
  const explain = SIZES.map((size) => {
    const world = build(size, { name: '', busy: 997, contended: 2 });
    const all = [...world.state.tasks.values()];
    return median(size, () => all.map(whyEach(world.snapshot(), world.now)));
  });
  console.log(row('why for every task', explain.map(ms), growth(explain)));
  const words = SIZES.map((size) => {
    const world = build(size, { name: '', busy: 997, contended: 2 });
    return median(size, () => statuses(world.state, world.now));
  });
  console.log(row('status of every task', words.map(ms), growth(words)));
}

/** Running tasks, and `size` startable ones spread over four projects; every tenth pattern is a glob. */
function build(size: number, { busy, contended }: Situation): World {
  const world = new World();
  for (let i = 0; i < 4; i++) world.project(`p${i}`, { weight: 1 + (i % 2) });
  for (let i = 0; i < NODES; i++) world.node(`n${i}`, { slots: SLOTS });
  for (let i = 0; i < busy; i++) {
    world.add(`p${i % 4}`, `R${i}`, { modifies: patterns(`run${i}`, i) });
    world.claim(`p${i % 4}`, `R${i}`, `n${i % NODES}`);
  }
  for (let i = 0; i < size; i++) {
    const blocked = contended > 0 && i % contended === 0;
    // A running task of the same project: its number has the same remainder by four.
    const file = blocked ? `run${(i % (busy - 8)) - ((i % (busy - 8)) % 4) + (i % 4)}` : `new${i}`;
    world.now += 7;
    world.add(`p${i % 4}`, `T${i}`, { priority: (i % 4) as 0, modifies: patterns(file, i) });
    world.chainMs.set(`p${i % 4}/T${i}` as never, (i * 7919) % 3_600_000);
  }
  return world;
}

function patterns(file: string, i: number): string[] {
  return [i % 10 === 0 ? `src/${file}/**` : `src/${file}/main.ts`, `test/${file}.test.ts`];
}

function median(size: number, run: () => unknown): number {
  const rounds = size >= 100_000 ? 7 : 31;
  for (let i = 0; i < 5; i++) run();
  const spans = Array.from({ length: rounds }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  });
  return spans.toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}

function growth(medians: readonly number[]): string {
  return medians
    .slice(1)
    .map((value, i) => `x${(value / (medians[i] ?? 1)).toFixed(1)}`)
    .join(' ');
}

const ms = (value: number): string => value.toFixed(2);
const row = (name: string, cells: readonly string[], last: string): string =>
  name.padEnd(34) + cells.map((cell) => cell.padStart(10)).join('') + `   ${last}`;

main();
