/** Which areas a change touches, and what each area may see; see `model/area.ts` for why that decides what is gated. */
import type { Area } from '../model/area.ts';
import { compileMatcher } from '../plan/match.ts';

/** Where the border lies for one set of areas. */
export interface Borders {
  /** Name of the path's area; null for a file that all share. */
  readonly areaOf: (path: string) => string | null;
  /** True when a gate of the area may see the path: it is the area's own, or shared. */
  readonly sees: (area: string, path: string) => boolean;
}

export function bordersOf(areas: readonly Area[]): Borders {
  const matchers = areas.map(({ name, paths }) => ({ name, matches: compileMatcher(paths) }));
  const areaOf = (path: string): string | null => matchers.find(({ matches }) => matches(path))?.name ?? null;
  return {
    areaOf,
    sees: (area, path) => {
      const own = areaOf(path);
      return own === null || own === area;
    },
  };
}

/**
 * The areas whose projection a change of these paths changes. `within`: all lies in the one area. A change of a shared
 * file, or of nothing, is everybody's.
 * @param paths both sides of a rename.
 */
export function touchedBy(
  paths: readonly string[],
  areas: readonly Area[],
): { readonly touched: readonly string[]; readonly within: boolean } {
  const { areaOf } = bordersOf(areas);
  const met = new Set(paths.map(areaOf));
  if (met.size === 0 || met.has(null)) return { touched: areas.map(({ name }) => name), within: false };
  const touched = areas.flatMap(({ name }) => (met.has(name) ? [name] : []));
  return { touched, within: touched.length === 1 };
}

/** True when the area's command is all that a branch inside of it needs: its spec asks for no other than everybody's, or the area's. */
export function isAreasAlone(
  within: boolean,
  area: string | undefined,
  { own, project }: { readonly own: string | null; readonly project: string | null },
): boolean {
  return within && area !== undefined && (own === null || own === project || own === area);
}
