/** Which planted bugs the simulator finds, and how soon. */
import { PLANTS } from './plants.ts';
import { simulate } from './run.ts';

export interface Found {
  readonly name: string;
  /** The first seed that shows it; null: none did. */
  readonly seed: number | null;
  /** What was said then. */
  readonly said: string | null;
  /** Processor time that it took to find it, or to give up. */
  readonly seconds: number;
}

/** Looks for each planted bug among these seeds, from 1 on. @param only those whose name contains this. */
export async function* plantTable(seeds: number, only = ''): AsyncGenerator<Found> {
  for (const name of Object.keys(PLANTS)) if (name.includes(only)) yield await findPlant(name, seeds);
}

/** @throws RangeError for a name that no plant has. */
export async function findPlant(name: string, seeds: number): Promise<Found> {
  const planted = PLANTS[name];
  if (planted === undefined) throw new RangeError(`no plant is called "${name}"`);
  const began = process.cpuUsage();
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await simulate(seed, planted);
    const said = violations.find((violation) => planted.shows.test(violation));
    if (said !== undefined) return { name, seed, said, seconds: seconds() };
  }
  return { name, seed: null, said: null, seconds: seconds() };
}

/** As lines of a table: `seed  seconds  bug`, and what was said. */
export function describeFound({ name, seed, said, seconds }: Found): string {
  const figures = `${(seed ?? 'NOT FOUND').toString().padStart(9)}  ${seconds.toFixed(1).padStart(6)}`;
  return `${figures}  ${name}${said === null ? '' : `\n${' '.repeat(19)}${said.slice(0, 160)}`}`;
}
