/** A parsed file together with where each of its values stands. YAML and JSON both become this, and are checked alike. */
import type { Position } from './problem.ts';

export type Path = readonly PropertyKey[];

export interface Source {
  /** Path of the file as the user would type it. */
  readonly file: string;
  /** Plain data: null, booleans, numbers, texts, lists, maps. */
  readonly value: unknown;
  /** Where the value at the path stands; of its nearest parent when it is absent. */
  at(path: Path): Position;
  /** Where the key that leads to the path stands. */
  keyAt(path: Path): Position;
  /** A number, boolean or the like at the path as it was written, where the format lets texts go without quotes; null otherwise. */
  written(path: Path): string | null;
}
