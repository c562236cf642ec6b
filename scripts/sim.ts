/**
 * The simulator from the sources, without a build: `npx tsx scripts/sim.ts --seeds 200 [--from 5000]`, or `--seed 4711
 * [--only <ids>]`. What `dispatch sim` and `make sim` do.
 */
import { parseArgs } from 'node:util';
import { simulator } from '../test/sim/verb.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const { seed, seeds, from, only } = values;
if (seed === undefined) {
  const { text, failed, never } = await simulator.many({ from: Number(from), seeds: Number(seeds) });
  console.log(text);
  process.exitCode = failed.length + never.length === 0 ? 0 : 1;
} else {
  const asked = { seed: Number(seed), ...(only === undefined ? {} : { only }) };
  const { text, violations } = await simulator.one(asked);
  console.log(text);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
