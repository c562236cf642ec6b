/**
 * Which bugs that are planted on purpose the simulator finds, and the first seed that shows each.
 *
 *   tsx scripts/plants.ts                       each, within 300 seeds
 *   tsx scripts/plants.ts --seeds 10000 --only "safe mode"
 */
import { parseArgs } from 'node:util';
import { describeFound, plantTable } from '../test/sim/plant-table.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '300' }, only: { type: 'string', default: '' } },
});
for await (const found of plantTable(Number(values.seeds), values.only)) {
  console.log(describeFound(found));
  if (found.seed === null) process.exitCode = 1;
}
