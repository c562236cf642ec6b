/** Which planted bugs the simulator finds, and how soon. */
import { PLANTS } from './plants.ts';
import { simulate } from './run.ts';

export interface Found {
  readonly name: string;
  /** The first seed that shows it; null: none did. */
  readonly seed: number | null;
  /** What was said then. */
  readonly said: string | null;
}

/** Looks for each planted bug among these seeds, from 1 on. @param only those whose name contains this. */
export async function* plantTable(seeds: number, only = ''): AsyncGenerator<Found> {
  for (const name of Object.keys(PLANTS)) if (name.includes(only)) yield await findPlant(name, seeds);
}

/** @throws RangeError for a name that no plant has. */
export async function findPlant(name: string, seeds: number): Promise<Found> {
  const planted = PLANTS[name];
  if (planted === undefined) throw new RangeError(`no plant is called "${name}"`);
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await simulate(seed, planted);
    const said = violations.find((violation) => planted.shows.test(violation));
    if (said !== undefined) return { name, seed, said };
  }
  return { name, seed: null, said: null };
}

/** As lines of a table: `seed  bug  what was said`. */
export function describeFound({ name, seed, said }: Found): string {
  return `${(seed ?? 'NOT FOUND').toString().padStart(9)}  ${name}${said === null ? '' : `\n           ${said.slice(0, 160)}`}`;
}
