/** One of several processes that simulate: every n-th seed of a range, and what they came to. */
import { simulate } from './run.ts';
import { add, empty, tallyOf } from './tally.ts';

const [from = 1, count = 0, mine = 0, of = 1] = process.argv.slice(2).map(Number);
let tally = empty();
for (let seed = from; seed < from + count; seed++) {
  if (seed % of !== mine) continue;
  const before = process.cpuUsage();
  const outcome = await simulate(seed);
  const { user, system } = process.cpuUsage(before);
  tally = add(tally, tallyOf(outcome, (user + system) / 1000));
}
process.send?.(tally);
