/** Which tasks could run at the same time but for their locks. */
import type { TaskId } from '../model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import { lockPatterns } from './lock-patterns.ts';
import { PatternIndex } from './pattern-index.ts';

interface LockConflict {
  /** The smaller id. */
  readonly a: TaskId;
  readonly b: TaskId;
  /** A path that both may touch. */
  readonly path: string;
}

export interface LockConflicts {
  /** The first ones; more are only counted. */
  readonly pairs: readonly LockConflict[];
  /** Pairs found. */
  readonly count: number;
  /** False: counting stopped, and there are more than `count`. */
  readonly complete: boolean;
  /** With how many others each task conflicts, as far as counted; tasks without conflicts are absent. */
  readonly perTask: ReadonlyMap<TaskId, number>;
}

/** Pairs that are listed one by one. */
const LISTED = 1000;
/** Pairs looked at: a thousand tasks behind one lock are half a million, and say no more than the first few. */
const COUNTED = 500_000;
/** The order between any two tasks takes one bit per pair: 50 MB for this many. */
const ORDERED = 20_000;

/**
 * Conflicts between tasks of which neither waits for the other. `specs` come in an order in which dependencies come
 * first. With more than 20,000 tasks pairs that wait for each other are listed too.
 */
export function findConflicts(
  specs: readonly TaskSpec[],
  graph: ReadonlyMap<TaskId, readonly TaskId[]>,
  config: ProjectConfig,
): LockConflicts {
  const waitsFor = specs.length <= ORDERED ? ancestry(specs, graph) : () => false;
  const held = new PatternIndex<TaskId>();
  const pairs: LockConflict[] = [];
  const perTask = new Map<TaskId, number>();
  let count = 0;
  let looked = 0;
  for (const spec of specs) {
    const patterns = lockPatterns(spec, config);
    if (looked > COUNTED) return { pairs, count, complete: false, perTask };
    for (const { key, path } of held.allMeeting(patterns)) {
      looked++;
      if (waitsFor(spec.id, key)) continue;
      count++;
      perTask.set(key, (perTask.get(key) ?? 0) + 1);
      perTask.set(spec.id, (perTask.get(spec.id) ?? 0) + 1);
      if (pairs.length < LISTED) pairs.push({ ...inOrder(key, spec.id), path });
    }
    held.add(spec.id, patterns);
  }
  return { pairs, count, complete: true, perTask };
}

function inOrder(one: TaskId, other: TaskId): { a: TaskId; b: TaskId } {
  return one < other ? { a: one, b: other } : { a: other, b: one };
}

/** Whether a task waits, over any number of steps, for an earlier one: a row of bits per task. */
function ancestry(
  specs: readonly TaskSpec[],
  graph: ReadonlyMap<TaskId, readonly TaskId[]>,
): (later: TaskId, earlier: TaskId) => boolean {
  const position = new Map(specs.map(({ id }, index) => [id, index]));
  const rows: Uint32Array[] = [];
  for (const [index, { id }] of specs.entries()) {
    // Only earlier tasks can be ancestors, so a row is as long as its own position.
    const row = new Uint32Array((index >> 5) + 1);
    for (const needed of graph.get(id) ?? []) {
      const at = position.get(needed) ?? -1;
      const above = rows[at];
      if (above === undefined) continue;
      for (let word = 0; word < above.length; word++) row[word] = (row[word] ?? 0) | (above[word] ?? 0);
      row[at >> 5] = (row[at >> 5] ?? 0) | (1 << (at & 31));
    }
    rows.push(row);
  }
  return (later, earlier) => {
    const at = position.get(earlier) ?? -1;
    const word = rows[position.get(later) ?? -1]?.[at >> 5] ?? 0;
    return at >= 0 && ((word >>> (at & 31)) & 1) === 1;
  };
}
