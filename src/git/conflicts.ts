import type { Conflict } from '../model/conflict.ts';
import type { TaskId } from '../model/ids.ts';
import type { LandedMerge } from './trailers.ts';

/**
 * For each path that conflicts, the landed tasks that changed it, in the order in which they landed. A file in the way
 * of a directory conflicts with whoever changed something inside that directory, and the other way round.
 */
export function conflictsWith(paths: readonly string[], newestFirst: readonly LandedMerge[]): Conflict[] {
  const merges = newestFirst.toReversed();
  return paths.map((path) => {
    const tasks = new Set<TaskId>();
    for (const merge of merges) if (merge.paths.some((changed) => meet(path, changed))) tasks.add(merge.task);
    return { path, tasks: [...tasks] };
  });
}

function meet(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
