/**
 * Areas: parts of a repository that do not read each other's files, as `project.yaml` declares them. Every path lies in
 * one area or in none; what lies in none is shared, and every area may read it.
 *
 * An area's command is never run on the merged tree but on its *projection*: the merged tree without the files of the
 * other areas. A gate's checkout holds no other file, so its verdict is a function of the projected tree alone, and the
 * evidence is kept under that tree's id. Hence three things that hold by construction and not by trust:
 *
 * - two commits with the same projection share the verdict: a branch of another area, wherever it stands on the stack,
 *   changes neither the tree nor what was found on it;
 * - a red run on a projection is the fault of a branch that changed that projection, and of no other;
 * - a commit lands when each projection that its branches changed was found green, and each of those is read off the
 *   very tree that lands: tested is landed, area by area.
 *
 * What a branch changed is read from what its merge commit changed, never from what its spec says. A branch that changes
 * a shared file changes every projection; it, and one that changes several areas, needs its command on the whole tree
 * besides, as if there were no areas. What a command of one area misses of another is not seen before such a branch, or
 * `collect`, which judges the whole tree, runs the project's own command.
 */
import { createHash } from 'node:crypto';
import type { CommitId } from './ids.ts';

export interface Area {
  readonly name: string;
  /** Patterns; no path belongs to two areas. */
  readonly paths: readonly string[];
  readonly verify: string;
}

/** The merged tree as one area sees it. */
export interface Projection {
  /** Name of the area. */
  readonly area: string;
  readonly commit: CommitId;
  readonly tree: string;
}

/** What a merge changed, by area. */
export interface AreaFacts {
  /** The areas by which it was read, as `areasId` names them. */
  readonly of: string;
  /** Those whose projection it changed; never empty. */
  readonly touched: readonly Projection[];
  /** All that it changed lies in the one area. */
  readonly within: boolean;
}

/** Names the areas' borders: another id means that what is known of merges by area says nothing. Undefined: no areas. */
export function areasId(areas: readonly Area[] | undefined): string | undefined {
  if (areas === undefined || areas.length === 0) return undefined;
  const known = kept.get(areas);
  if (known !== undefined) return known;
  const borders = areas.map(({ name, paths }) => [name, paths.toSorted()]);
  const id = createHash('sha256').update(JSON.stringify(borders)).digest('hex').slice(0, 16);
  kept.set(areas, id);
  return id;
}

/** A configuration is replaced, never changed, so its answer may be kept with it. */
const kept = new WeakMap<readonly Area[], string>();
