/**
 * The simulator from the sources, without a build: `npx tsx scripts/sim.ts --seeds 200 [--from 5000]`, or `--seed 4711
 * [--only <ids>]`. What `dispatch sim` and `make sim` do.
 */
import { parseArgs } from 'node:util';
import picocolors from 'picocolors';
import { asDispatchError, exitOf, renderError } from '../src/cli/render/error.ts';
import { askedOf, type SimOptions } from '../src/cli/verbs/sim.ts';
import { DispatchError } from '../src/model/error.ts';
import { simulator } from '../test/sim/verb.ts';

const USAGE =
  'npx tsx scripts/sim.ts [--seeds <n>] [--from <seed>]   or   npx tsx scripts/sim.ts --seed <seed> [--only <ids>]';

try {
  process.exitCode = await sim(options());
} catch (thrown) {
  const error = asDispatchError(thrown);
  process.stderr.write(renderError(error, picocolors.createColors(false)));
  process.exitCode = exitOf(error);
}

async function sim(asked: SimOptions): Promise<number> {
  const { seed, seeds, from } = askedOf(asked);
  if (seed === null) {
    const { text, failed, never } = await simulator.many({ from, seeds });
    console.log(text);
    return failed.length + never.length === 0 ? 0 : 1;
  }
  const { only } = asked;
  const { text, violations } = await simulator.one({ seed, ...(only === undefined ? {} : { only }) });
  console.log(text);
  return violations.length === 0 ? 0 : 1;
}

function options(): SimOptions {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      options: { seed: text, seeds: text, from: { ...text, default: '1' }, only: text },
    });
    return values;
  } catch (error) {
    throw new DispatchError('E_USAGE', error instanceof Error ? error.message : String(error), {
      fix: USAGE,
    });
  }
}
