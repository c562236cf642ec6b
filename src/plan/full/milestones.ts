/** Steps of a project that a person can look at, in order: the waves of its plan, the large ones by the folders they work in. */
import type { TaskId } from '../../model/ids.ts';
import type { TaskSpec } from '../../model/spec.ts';
import { compilePattern } from '../pattern.ts';
import type { Plan } from '../plan.ts';

export interface Milestone {
  /** From 1. */
  readonly number: number;
  /** Folder that its tasks have in common; empty: they have none. */
  readonly folder: string;
  /** The wave that it is, or is a part of. */
  readonly wave: number;
  readonly tasks: readonly TaskId[];
  /** Milestones that have to be there before. */
  readonly after: readonly number[];
  /** Commands that prove it, each once. */
  readonly verify: readonly string[];
}

/** A new project has at least so many: fewer are too coarse to see that it goes the wrong way. */
export const LEAST_MILESTONES = 6;

export function milestonesOf(plan: Plan): Milestone[] {
  let groups: Group[] = plan.waves.map(({ number, tasks }) => ({
    wave: number,
    folder: '',
    tasks,
    depth: 0,
  }));
  while (groups.length < LEAST_MILESTONES) {
    const split = splitLargest(groups, plan.specs);
    if (split === null) break;
    groups = split;
  }
  const numberOf = new Map(groups.flatMap(({ tasks }, at) => tasks.map((id) => [id, at + 1] as const)));
  return groups.map(({ wave, folder, tasks }, at) => {
    const specs = tasks.flatMap((id) => plan.specs.get(id) ?? []);
    const after = specs.flatMap(({ dependsOn }) => dependsOn.flatMap((id) => numberOf.get(id) ?? []));
    return {
      number: at + 1,
      folder: folder === '' ? (commonFolder(specs) ?? '') : folder,
      wave,
      tasks,
      after: [...new Set(after)].filter((number) => number !== at + 1).toSorted((a, b) => a - b),
      verify: [...new Set(specs.flatMap(({ verify }) => verify ?? []))],
    };
  });
}

interface Group {
  readonly wave: number;
  readonly folder: string;
  readonly tasks: readonly TaskId[];
  /** Segments of the folder by which it was split. */
  readonly depth: number;
}

const DEEPEST = 3;

/** The group with the most tasks, by the next segment of their folders; null: none can be split. */
function splitLargest(groups: readonly Group[], specs: Plan['specs']): Group[] | null {
  const bySize = groups.toSorted((a, b) => b.tasks.length - a.tasks.length);
  for (const group of bySize) {
    for (let depth = group.depth + 1; depth <= DEEPEST; depth += 1) {
      const parts = new Map<string, TaskId[]>();
      for (const id of group.tasks) {
        const folder = folderOf(specs.get(id), depth);
        parts.set(folder, [...(parts.get(folder) ?? []), id]);
      }
      if (parts.size < 2) continue;
      const made = Array.from(parts, ([folder, tasks]) => ({ wave: group.wave, folder, tasks, depth }));
      return groups.flatMap((one) => (one === group ? made : [one]));
    }
  }
  return null;
}

/** The first segments of what a task claims first; a file at the top stands for itself. */
function folderOf(spec: TaskSpec | undefined, depth: number): string {
  const [first = ''] = spec?.modifies ?? [];
  return [...(compilePattern(first).exact[0]?.folder ?? [])].slice(0, depth).join('/') || first;
}

function commonFolder(specs: readonly TaskSpec[]): string | null {
  const folders = specs.map((spec) => folderOf(spec, DEEPEST).split('/'));
  const [first] = folders;
  if (first === undefined) return null;
  const same = first.findIndex((name, at) => folders.some((other) => other[at] !== name));
  return (same < 0 ? first : first.slice(0, same)).join('/') || null;
}
