/**
 * What a set of specs amounts to before anything runs: which tasks can start when, which hold each other up and why,
 * how long it takes at best, and what in it is risky. A function of the specs alone, for people and for `plan -o`.
 */
import type { ProjectName, TaskId } from '../model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import { DEFAULT_ESTIMATE_MS } from './chain.ts';
import { findConflicts, type LockConflicts } from './conflicts.ts';
import { findCycles } from './cycles.ts';
import { lockPatterns } from './lock-patterns.ts';
import { PatternIndex } from './pattern-index.ts';
import { findRisks, type Risk } from './risks.ts';

export { lockPatterns } from './lock-patterns.ts';
export type { Risk } from './risks.ts';

export interface Wave {
  /** From 1. A task is in the wave after the last of its dependencies. */
  readonly number: number;
  /** By what must come first: longest chain, then priority, then id. */
  readonly tasks: readonly TaskId[];
  /** Some of the wave that can all run at the same time, since no two of their locks meet; greedily chosen, so never too many. */
  readonly together: readonly TaskId[];
}

export interface Plan {
  readonly project: ProjectName;
  readonly specs: ReadonlyMap<TaskId, TaskSpec>;
  readonly waves: readonly Wave[];
  /** Tasks that wait for each other; they and all that depends on them are in no wave. Validation refuses these. */
  readonly cycles: readonly (readonly TaskId[])[];
  /** The tasks that decide how long everything takes, in order, and their span in milliseconds: no number of nodes makes it shorter. */
  readonly critical: { readonly tasks: readonly TaskId[]; readonly ms: number };
  /** Span of the longest chain that begins with a task, itself included, milliseconds. */
  readonly chainMs: ReadonlyMap<TaskId, number>;
  /** Spans of all tasks together, milliseconds: what one slot would take. */
  readonly workMs: number;
  /** Tasks without an estimate, for which a default was assumed. */
  readonly guessed: number;
  readonly conflicts: LockConflicts;
  /** A set of tasks that can all run at once: the largest `together` of a wave, so that more may be possible but never less. */
  readonly widest: { readonly wave: number; readonly tasks: readonly TaskId[] };
  readonly risks: readonly Risk[];
}

/** The plan of one project's specs. Dependencies on tasks that are not among them are taken as done. */
export function buildPlan(config: ProjectConfig, specs: readonly TaskSpec[]): Plan {
  const byId = new Map(specs.map((spec) => [spec.id, spec]));
  const graph = new Map(
    specs.map(({ id, dependsOn }) => [id, dependsOn.filter((needed) => byId.has(needed))]),
  );
  const levels = levelsOf(graph);
  const chains = longestChains(byId, graph, [...levels.keys()]);
  const inOrder = [...levels.keys()].flatMap((id) => byId.get(id) ?? []);
  const conflicts = findConflicts(inOrder, graph, config);
  const waves = wavesOf({ levels, chains, byId, conflicts, config });
  const critical = criticalPath(chains, graph);
  const widest = waves.reduce(
    (best, wave) =>
      wave.together.length > best.tasks.length ? { wave: wave.number, tasks: wave.together } : best,
    {
      wave: 0,
      tasks: [] as readonly TaskId[],
    },
  );
  return {
    project: config.name,
    specs: byId,
    waves,
    cycles: findCycles(graph) as TaskId[][],
    critical,
    chainMs: new Map(Array.from(chains, ([id, { ms }]) => [id, ms])),
    workMs: specs.reduce((sum, spec) => sum + spanOf(spec), 0),
    guessed: specs.filter(({ estimateMs }) => estimateMs === null).length,
    conflicts,
    widest,
    risks: findRisks({ specs, graph, critical, conflicts }),
  };
}

type Graph = ReadonlyMap<TaskId, readonly TaskId[]>;

function spanOf({ estimateMs }: TaskSpec): number {
  return estimateMs ?? DEFAULT_ESTIMATE_MS;
}

/** Wave number of each task that can ever start, in an order in which dependencies come first (Kahn's algorithm). */
function levelsOf(graph: Graph): Map<TaskId, number> {
  const dependents = new Map<TaskId, TaskId[]>();
  const unmet = new Map<TaskId, number>();
  for (const [id, needed] of graph) {
    unmet.set(id, needed.length);
    for (const dependency of needed) {
      const waiting = dependents.get(dependency);
      if (waiting === undefined) dependents.set(dependency, [id]);
      else waiting.push(id);
    }
  }
  const levels = new Map<TaskId, number>();
  for (const [id, count] of unmet) if (count === 0) levels.set(id, 1);
  // A map may grow while it is walked: new entries come last.
  for (const [id, level] of levels) {
    for (const dependent of dependents.get(id) ?? []) {
      const left = (unmet.get(dependent) ?? 0) - 1;
      unmet.set(dependent, left);
      // The last dependency to be reached has the highest level, since levels are walked in order.
      if (left === 0) levels.set(dependent, level + 1);
    }
  }
  return levels;
}

interface Chain {
  /** Span from the task's start to the end of the last that waits for it. */
  readonly ms: number;
  /** The dependent with the longest chain. */
  readonly next: TaskId | null;
}

function longestChains(
  byId: ReadonlyMap<TaskId, TaskSpec>,
  graph: Graph,
  order: readonly TaskId[],
): Map<TaskId, Chain> {
  const behind = new Map<TaskId, Chain>();
  const chains = new Map<TaskId, Chain>();
  for (const id of order.toReversed()) {
    const spec = byId.get(id);
    if (spec === undefined) continue;
    const { ms, next } = behind.get(id) ?? { ms: 0, next: null };
    const chain = { ms: ms + spanOf(spec), next };
    chains.set(id, chain);
    for (const needed of graph.get(id) ?? []) {
      if (chain.ms > (behind.get(needed)?.ms ?? 0)) behind.set(needed, { ms: chain.ms, next: id });
    }
  }
  return chains;
}

function criticalPath(chains: ReadonlyMap<TaskId, Chain>, graph: Graph): Plan['critical'] {
  let first: TaskId | null = null;
  let ms = 0;
  // Specs in their own order, so that equal chains are told apart the same way every time.
  for (const id of graph.keys()) {
    const chain = chains.get(id);
    if (chain === undefined || chain.ms <= ms) continue;
    first = id;
    ms = chain.ms;
  }
  const tasks: TaskId[] = [];
  for (let id = first; id !== null; id = chains.get(id)?.next ?? null) tasks.push(id);
  return { tasks, ms };
}

interface WaveMaterial {
  readonly levels: ReadonlyMap<TaskId, number>;
  readonly chains: ReadonlyMap<TaskId, Chain>;
  readonly byId: ReadonlyMap<TaskId, TaskSpec>;
  readonly conflicts: LockConflicts;
  readonly config: ProjectConfig;
}

function wavesOf({ levels, chains, byId, conflicts, config }: WaveMaterial): Wave[] {
  const members: TaskSpec[][] = [];
  for (const [id, level] of levels) {
    const spec = byId.get(id);
    const wave = (members[level - 1] ??= []);
    if (spec !== undefined) wave.push(spec);
  }
  return members.map((specs, index) => {
    const ordered = specs.toSorted(
      (a, b) =>
        (chains.get(b.id)?.ms ?? 0) - (chains.get(a.id)?.ms ?? 0) || // 1. what most waits for
        a.priority - b.priority || // 2. what is most urgent
        (a.id < b.id ? -1 : 1), // 3. the same order every time
    );
    return {
      number: index + 1,
      tasks: ordered.map(({ id }) => id),
      together: together(ordered, conflicts, config),
    };
  });
}

/** The larger of two greedy sets: as the scheduler would pick, and with the least contested tasks first. */
function together(ordered: readonly TaskSpec[], { perTask }: LockConflicts, config: ProjectConfig): TaskId[] {
  const asScheduled = conflictFree(ordered, config);
  if (asScheduled.length === ordered.length) return asScheduled;
  const contested = (spec: TaskSpec): number => perTask.get(spec.id) ?? 0;
  const calmFirst = conflictFree(
    ordered.toSorted((a, b) => contested(a) - contested(b)),
    config,
  );
  return calmFirst.length > asScheduled.length ? calmFirst : asScheduled;
}

function conflictFree(specs: readonly TaskSpec[], config: ProjectConfig): TaskId[] {
  const held = new PatternIndex<TaskId>();
  const free: TaskId[] = [];
  for (const spec of specs) {
    const patterns = lockPatterns(spec, config);
    if (held.meeting(patterns) !== null) continue;
    held.add(spec.id, patterns);
    free.push(spec.id);
  }
  return free;
}
