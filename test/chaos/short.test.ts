/** A share of the chaos for every run of the tests, from a seed that nobody has seen before; it is printed. */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Chaos, runChaos } from './command.ts';
import { controllerKills } from './controller-kills.ts';
import { reportText } from './report.ts';
import { stops } from './stops.ts';

const SEED = Number(process.env.DISPATCH_TEST_SEED ?? randomInt(1, 1_000_000));
/** The least of each. */
const SCALE = 0.001;

const short = async (chaos: Chaos): Promise<void> => {
  process.stderr.write(`chaos ${chaos.name}: DISPATCH_TEST_SEED=${SEED}\n`);
  const report = await runChaos(chaos, { seed: SEED, scale: SCALE, minutes: null, keep: false });
  const command = `npx tsx test/chaos/${chaos.name}.ts --seed ${SEED} --scale ${SCALE}`;
  expect(report.violations, reportText(report.data(command))).toEqual([]);
};

test(
  'a controller that is killed again and again loses nothing and starts nothing twice',
  () => short(controllerKills),
  600_000,
);

test(
  'whatever is stopped for a while goes on, and a controller that was replaced meanwhile writes nothing',
  () => short(stops),
  600_000,
);
