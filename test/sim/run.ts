/** Runs seeds and prints what they did. */
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { type Outcome, Simulation } from './simulation.ts';

/** One seed from beginning to end, on a store of its own. `plant` may break something first, to see it found. */
export async function simulate(seed: number, plant?: (sim: Simulation) => void): Promise<Outcome> {
  const store = await openSqliteStore(':memory:');
  try {
    const sim = new Simulation(seed, store);
    plant?.(sim);
    return await sim.run();
  } finally {
    await store.close();
  }
}

/** What a person needs to look into a seed that failed. */
export function describe(outcome: Outcome): string {
  const { seed, steps, elapsed, violations, trace, digest } = outcome;
  const lines = [
    `seed ${seed}: ${steps} steps, ${Math.round(elapsed / 1000)} s of virtual time, digest ${digest.slice(0, 16)}`,
  ];
  if (violations.length === 0) return lines[0] ?? '';
  lines.push(...violations.slice(0, 10).map((violation) => `  violated: ${violation}`));
  lines.push(
    '  last steps:',
    ...trace.map((line) => `    ${line.length > 1000 ? `${line.slice(0, 1000)}…` : line}`),
  );
  lines.push(`  again: npx tsx scripts/sim.ts --seed ${seed}`);
  return lines.join('\n');
}
