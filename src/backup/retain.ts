/** Which backups may go. Pure: names in, names out. */
import { parseBackupName, type Reason } from './manifest.ts';

const DAILY = 7;
const WEEKLY = 4;
/** Made before an upgrade of the schema. */
const UPGRADES = 4;
const DAY_MS = 24 * 60 * 60_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/**
 * Names that nobody will want: of the daily ones all but the newest of each of the last seven days that have one, and of
 * each of the last four weeks; of those before upgrades all but the newest four. What a person asked for stays, and so
 * does whatever has another name. The newest is always kept.
 */
export function superfluous(names: readonly string[]): string[] {
  const daily = newestFirst(names, 'daily');
  const kept = new Set([
    ...newestOf(daily, DAILY, (at) => Math.floor(at / DAY_MS)),
    ...newestOf(daily, WEEKLY, (at) => Math.floor((at - FIRST_MONDAY_MS) / WEEK_MS)),
  ]);
  const upgrades = newestFirst(names, 'upgrade').slice(UPGRADES);
  return [...daily.filter((one) => !kept.has(one)), ...upgrades].map(({ name }) => name);
}

interface Dated {
  readonly name: string;
  readonly at: number;
}

function newestFirst(names: readonly string[], wanted: Reason): Dated[] {
  return names
    .flatMap((name) => {
      const known = parseBackupName(name);
      return known?.reason === wanted ? [{ name, at: known.at }] : [];
    })
    .toSorted((a, b) => b.at - a.at);
}

/** The newest of each of the first `most` spans that have one. */
function newestOf(dated: readonly Dated[], most: number, spanOf: (at: number) => number): Dated[] {
  const found = new Map<number, Dated>();
  for (const one of dated) if (!found.has(spanOf(one.at))) found.set(spanOf(one.at), one);
  return [...found.values()].slice(0, most);
}
