/** What in a plan deserves a second look before 32 agents work on it through a night. */
import type { TaskId } from '../model/ids.ts';
import type { TaskSpec } from '../model/spec.ts';
import { type LockConflicts } from './conflicts.ts';
import { compilePattern } from './pattern.ts';

export type Risk =
  /** The pattern has no folder above its wildcards, or the task holds up a large part of the others. */
  | {
      readonly kind: 'wide-lock';
      readonly task: TaskId;
      readonly pattern: string | null;
      readonly holdsUp: number;
    }
  /** One task after the other: no number of nodes makes it shorter, and a failure early in it stops the rest. */
  | { readonly kind: 'long-chain'; readonly tasks: readonly TaskId[]; readonly ms: number }
  /** Waits for many: it starts with the slowest, and is blocked when any of them fails. */
  | { readonly kind: 'fan-in'; readonly task: TaskId; readonly count: number }
  /** Many wait for it: when it fails they are all blocked. */
  | { readonly kind: 'fan-out'; readonly task: TaskId; readonly count: number };

/** A chain of this many tasks is longer than most nights with three rounds each. */
const LONG_CHAIN = 6;
const MANY = 8;
/** A task that conflicts with this share of all others makes the plan serial. */
const LARGE_SHARE = 1 / 3;

interface Material {
  readonly specs: readonly TaskSpec[];
  readonly graph: ReadonlyMap<TaskId, readonly TaskId[]>;
  readonly critical: { readonly tasks: readonly TaskId[]; readonly ms: number };
  readonly conflicts: LockConflicts;
}

/** Risks, the most costly kind first, within a kind by size. */
export function findRisks({ specs, graph, critical, conflicts }: Material): Risk[] {
  const dependents = new Map<TaskId, number>();
  for (const needed of graph.values()) {
    for (const id of needed) dependents.set(id, (dependents.get(id) ?? 0) + 1);
  }
  return [
    ...wideLocks(specs, conflicts),
    ...(critical.tasks.length >= LONG_CHAIN ? [{ kind: 'long-chain', ...critical } as const] : []),
    ...bySize(specs, ({ id }) => dependents.get(id) ?? 0).map(
      ([task, count]) => ({ kind: 'fan-out', task, count }) as const,
    ),
    ...bySize(specs, ({ id }) => graph.get(id)?.length ?? 0).map(
      ([task, count]) => ({ kind: 'fan-in', task, count }) as const,
    ),
  ];
}

function wideLocks(specs: readonly TaskSpec[], conflicts: LockConflicts): Risk[] {
  const least = Math.max(MANY / 2, specs.length * LARGE_SHARE);
  return specs
    .flatMap(({ id, modifies }): (Risk & { kind: 'wide-lock' })[] => {
      const pattern = modifies.find(isWide) ?? null;
      const holdsUp = conflicts.perTask.get(id) ?? 0;
      return pattern === null && holdsUp < least ? [] : [{ kind: 'wide-lock', task: id, pattern, holdsUp }];
    })
    .sort((a, b) => b.holdsUp - a.holdsUp);
}

/** `**`, `**\/*.ts`, `*\/x/**`: anything in the repository may be meant. `*.md` at the top is not wide. */
function isWide(pattern: string): boolean {
  return compilePattern(pattern).exact.some(
    ({ path, folder, segments, prefix }) =>
      path === null && folder.length === 0 && prefix === '' && segments.some(({ is }) => is === 'deep'),
  );
}

function bySize(specs: readonly TaskSpec[], size: (spec: TaskSpec) => number): [TaskId, number][] {
  return specs
    .map((spec): [TaskId, number] => [spec.id, size(spec)])
    .filter(([, count]) => count >= MANY)
    .sort((a, b) => b[1] - a[1]);
}
