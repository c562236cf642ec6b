/** One of several processes that simulate: it is given seeds, tells what they came to, and is given more. */
import { simulate } from './run.ts';
import { add, empty, tallyOf } from './tally.ts';

/** Seeds to simulate, one after the other. */
export interface Share {
  readonly from: number;
  readonly count: number;
}

async function simulateAll({ from, count }: Share): Promise<void> {
  let tally = empty();
  for (let seed = from; seed < from + count; seed++) {
    const before = process.cpuUsage();
    const outcome = await simulate(seed);
    const { user, system } = process.cpuUsage(before);
    tally = add(tally, tallyOf(outcome, (user + system) / 1000));
  }
  process.send?.(tally);
}

process.on('message', (share: Share) => void simulateAll(share));
