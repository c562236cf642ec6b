/** One of several processes that simulate: it is given seeds, tells what they came to, and is given more. */
import { simulate } from './run.ts';
import { add, empty, type Tally, tallyOf } from './tally.ts';

/** Seeds to simulate, one after the other. */
export interface Share {
  readonly from: number;
  readonly count: number;
}

// What throws ends the process, and who waits for it hears of that.
process.on('message', (share: Share) => {
  void tallied(share).then((tally) => process.send?.(tally));
});

async function tallied({ from, count }: Share): Promise<Tally> {
  let tally = empty();
  for (let seed = from; seed < from + count; seed++) {
    const before = process.cpuUsage();
    const outcome = await simulate(seed);
    const { user, system } = process.cpuUsage(before);
    tally = add(tally, tallyOf(outcome, (user + system) / 1000));
  }
  return tally;
}
