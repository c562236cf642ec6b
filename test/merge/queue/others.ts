/** How others would judge the same branches, one gate at a time, for comparison; and what no method can go below. */
import { drawing } from './line.ts';

export interface OtherResult {
  readonly runs: number;
  readonly merged: number;
  readonly wronged: number;
}

interface Draw {
  readonly branches: number;
  readonly badRate: number;
  readonly flakeRate: number;
  readonly seed: number;
}

/** Judges every branch alone, on top of what has merged. */
export function oneByOne(options: Draw): OtherResult {
  const bench = new Bench(options);
  for (const branch of bench.branches) bench.settle([branch], bench.gate([branch]));
  return bench.result();
}

/** Five at a time; a red batch is bisected to one culprit, and the others are batched again. */
export function batchOfFive(options: Draw): OtherResult {
  const bench = new Bench(options);
  let queue = [...bench.branches];
  while (queue.length > 0) {
    const batch = queue.slice(0, 5);
    queue = queue.slice(batch.length);
    if (bench.gate(batch)) {
      bench.settle(batch, true);
      continue;
    }
    let suspects = batch;
    while (suspects.length > 1) {
      const half = suspects.slice(0, Math.ceil(suspects.length / 2));
      suspects = bench.gate(half) ? suspects.slice(half.length) : half;
    }
    bench.settle(suspects, false);
    queue = [...batch.filter((branch) => !suspects.includes(branch)), ...queue];
  }
  return bench.result();
}

/** Batches of `size`; a red one is halved and both halves are judged for themselves. */
export function halving(options: Draw, size: number): OtherResult {
  const bench = new Bench(options);
  for (let at = 0; at < bench.branches.length; at += size) {
    const parts = [bench.branches.slice(at, at + size)];
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const green = bench.gate(part);
      if (green || part.length === 1) bench.settle(part, green);
      else parts.push(part.slice(0, part.length / 2), part.slice(part.length / 2));
    }
  }
  return bench.result();
}

/** Runs per merged branch that the entropy of the verdicts asks for. */
export function entropyBound(badRate: number): number {
  if (badRate === 0) return 0;
  const good = 1 - badRate;
  return (-badRate * Math.log2(badRate) - good * Math.log2(good)) / good;
}

class Bench {
  readonly branches: readonly { readonly bad: boolean }[];
  readonly #draw: () => number;
  readonly #flakeRate: number;
  #runs = 0;
  #merged = 0;
  #wronged = 0;

  constructor({ branches, badRate, flakeRate, seed }: Draw) {
    this.#draw = drawing(seed);
    this.#flakeRate = flakeRate;
    this.branches = Array.from({ length: branches }, () => ({ bad: this.#draw() < badRate }));
  }

  gate(branches: readonly { readonly bad: boolean }[]): boolean {
    this.#runs += 1;
    return branches.every((branch) => !branch.bad) && this.#draw() >= this.#flakeRate;
  }

  settle(branches: readonly { readonly bad: boolean }[], green: boolean): void {
    if (green) this.#merged += branches.length;
    else this.#wronged += branches.filter((branch) => !branch.bad).length;
  }

  result(): OtherResult {
    return { runs: this.#runs, merged: this.#merged, wronged: this.#wronged };
  }
}
