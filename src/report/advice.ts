/**
 * Would more machines help? The figures, and what follows from them, by a table:
 *
 *   ready tasks more than twice those at work         add nodes
 *   specs arrive faster than they leave               add nodes
 *   over 30 % fail in their first round               do not add nodes: mend the specs
 *   merges conflict often                             do not add nodes: split the work differently
 *
 * The last two forbid the first two: more slots would only fail and conflict faster. Machines that are there and are not
 * used come before machines that are not there. Pure.
 */
import type { Attempt } from '../model/attempt.ts';
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { isFinal, type Task } from '../model/task.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import { statuses } from '../schedule/status.ts';
import { endOf, roundsOf } from './attempts.ts';

/** Tasks that came and went are counted over the last hour; before it has passed once, all specs have just arrived. */
const WINDOW_MS = 3_600_000;
/** First attempts looked at, the newest: what was mended last week says nothing about today. */
const FIRST_ATTEMPTS = 50;
/** Fewer prove nothing. */
const LEAST_ATTEMPTS = 5;
const LEAST_CONFLICTS = 3;
const MANY_FAIL = 0.3;
const MANY_CONFLICT = 0.2;
const MANY_PENDING = 2;

export interface AdviceInput {
  readonly state: State;
  readonly fleet: Pick<Snapshot, 'nodes' | 'connected'>;
  /** Tasks whose branch did not merge at least once. */
  readonly conflicted: ReadonlySet<TaskKey>;
  /** Only these projects; null: all. The machines are everybody's. */
  readonly projects: ReadonlySet<ProjectName> | null;
  readonly now: number;
}

export interface Capacity {
  readonly figures: Figures;
  readonly advice: readonly Advice[];
}

export interface Figures {
  /** Ready tasks for which no machine in use has a free slot. */
  readonly pending: number;
  /** Tasks with a work attempt. */
  readonly running: number;
  /** Of the machines in use, and those of them that are free. */
  readonly slots: number;
  readonly free: number;
  /** In the last hour; null: the first spec is younger. */
  readonly flow: { readonly arrived: number; readonly left: number } | null;
  /** First attempts that took more than a round, or came to nothing. Losses and cancels are nobody's failure. */
  readonly firstRound: { readonly failed: number; readonly of: number };
  /** Tasks that conflicted, of those that merged or conflicted. */
  readonly conflicts: { readonly tasks: number; readonly of: number };
}

export type Advice =
  | {
      readonly advise: 'add-nodes';
      readonly because: 'pending' | 'flow';
      readonly nodes: number;
      /** Of each of them. */
      readonly slotsEach: number;
      /** What they must be able to run, most wanted first. */
      readonly executors: readonly string[];
    }
  | { readonly advise: 'use-nodes'; readonly names: readonly string[]; readonly slots: number }
  | { readonly advise: 'mend-specs' }
  | { readonly advise: 'split-differently' };

export function capacityOf(input: AdviceInput): Capacity {
  const { state, projects, now } = input;
  const tasks = [...state.tasks.values()].filter(({ spec }) => projects?.has(spec.project) !== false);
  const inUse = input.fleet.nodes.filter((config) => isInUse(config, input));
  const stuck = stuckTasks(tasks, inUse, input);
  const figures: Figures = {
    pending: stuck.length,
    running: tasks.filter(({ progress }) => progress.at === 'attempt').length,
    slots: inUse.reduce((sum, { slots }) => sum + slots, 0),
    free: inUse.reduce((sum, config) => sum + freeOn(config, state), 0),
    flow: flowOf(tasks, now),
    firstRound: firstRounds(tasks, state),
    conflicts: conflictsOf(tasks, input.conflicted),
  };
  return { figures, advice: adviceFor(figures, stuck, inUse, input) };
}

function adviceFor(
  figures: Figures,
  stuck: readonly Task[],
  inUse: readonly NodeConfig[],
  input: AdviceInput,
): Advice[] {
  const { firstRound, conflicts } = figures;
  const against: Advice[] = [];
  if (firstRound.of >= LEAST_ATTEMPTS && firstRound.failed / firstRound.of > MANY_FAIL)
    against.push({ advise: 'mend-specs' });
  if (conflicts.tasks >= LEAST_CONFLICTS && conflicts.tasks / conflicts.of > MANY_CONFLICT)
    against.push({ advise: 'split-differently' });
  if (against.length > 0) return against;
  const because = needOf(figures);
  if (because === null) return [];
  const idle = input.fleet.nodes.filter((config) => !inUse.includes(config) && config.slots > 0);
  if (idle.length > 0) {
    const slots = idle.reduce((sum, config) => sum + config.slots, 0);
    return [{ advise: 'use-nodes', names: idle.map(({ name }) => name), slots }];
  }
  const slotsEach = usualSize(inUse);
  const nodes = Math.ceil(missingSlots(figures) / slotsEach);
  return [{ advise: 'add-nodes', because, nodes, slotsEach, executors: executorsOf(stuck) }];
}

/** Nothing at work says that something else is wrong, and not that there are too few machines. */
function needOf({ pending, running, flow }: Figures): 'pending' | 'flow' | null {
  if (running === 0 || pending === 0) return null;
  if (pending > MANY_PENDING * running) return 'pending';
  return flow !== null && flow.arrived > flow.left ? 'flow' : null;
}

/** So many that no more than twice as many wait as run, with all of the new ones taken; at least one. */
function missingSlots({ pending, running }: Figures): number {
  return Math.max(1, Math.ceil((pending - MANY_PENDING * running) / (1 + MANY_PENDING)));
}

/** The median, so that one big machine does not make all others look like it. */
function usualSize(nodes: readonly NodeConfig[]): number {
  const sizes = nodes.map(({ slots }) => slots).toSorted((a, b) => a - b);
  return Math.max(1, sizes[Math.floor(sizes.length / 2)] ?? 1);
}

function executorsOf(tasks: readonly Task[]): string[] {
  const counts = new Map<string, number>();
  for (const { spec } of tasks) counts.set(spec.executor, (counts.get(spec.executor) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([executor]) => executor);
}

function isInUse({ name }: NodeConfig, { fleet, state }: AdviceInput): boolean {
  return fleet.connected.has(name) && (state.nodes.get(name)?.mark ?? 'none') === 'none';
}

function freeOn({ name, slots }: NodeConfig, state: State): number {
  return Math.max(0, slots - (state.live.get(name)?.size ?? 0));
}

/** Ready, and every slot that could take them is taken. */
function stuckTasks(tasks: readonly Task[], inUse: readonly NodeConfig[], input: AdviceInput): Task[] {
  const words = statuses(input.state, input.now);
  const open = inUse.filter((config) => freeOn(config, input.state) > 0);
  const takes = ({ mode }: NodeConfig, executor: string): boolean =>
    mode === 'hybrid' || mode.includes(executor);
  return tasks.filter(
    ({ key, spec }) => words.get(key) === 'ready' && !open.some((config) => takes(config, spec.executor)),
  );
}

function flowOf(tasks: readonly Task[], now: number): Figures['flow'] {
  const since = now - WINDOW_MS;
  if (!tasks.some(({ addedAt }) => addedAt <= since)) return null;
  const left = tasks.filter(
    ({ progress }) => isFinal(progress) && 'when' in progress && progress.when > since,
  );
  return { arrived: tasks.filter(({ addedAt }) => addedAt > since).length, left: left.length };
}

function firstRounds(tasks: readonly Task[], state: State): Figures['firstRound'] {
  const keys = new Set(tasks.map(({ key }) => key));
  const judged = [...state.attempts.values()]
    .filter((attempt) => attempt.work.kind === 'work' && attempt.n === 1 && keys.has(attempt.task))
    .filter(isJudged)
    .toSorted((a, b) => endOf(a, 0) - endOf(b, 0))
    .slice(-FIRST_ATTEMPTS);
  return { failed: judged.filter((attempt) => !wasGoodAtOnce(attempt)).length, of: judged.length };
}

/** It ended on its own account. */
export function isJudged({ phase }: Attempt): boolean {
  return phase.is === 'ended' && phase.outcome.kind !== 'lost' && phase.outcome.kind !== 'cancelled';
}

/** Its first round passed the gates of its node. */
export function wasGoodAtOnce(attempt: Attempt): boolean {
  const { phase } = attempt;
  return phase.is === 'ended' && phase.outcome.kind === 'done' && roundsOf(attempt) === 1;
}

function conflictsOf(tasks: readonly Task[], conflicted: ReadonlySet<TaskKey>): Figures['conflicts'] {
  const met = tasks.filter(({ key }) => conflicted.has(key)).length;
  const merged = tasks.filter(({ key, progress }) => progress.at === 'merged' && !conflicted.has(key)).length;
  return { tasks: met, of: met + merged };
}
