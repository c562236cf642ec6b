import type { SafeMode } from '../schedule/safe-mode.ts';
import type { CommitId, NodeName, ProjectName, TaskKey, Token } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { isFinal, type TestBaseline } from '../model/task.ts';
import type { ContractLook } from '../schedule/snapshot.ts';
import type { ControlRun } from './control-run.ts';
import type { QueueRecord } from '../merge/queue/record.ts';
import type { DiskLook } from '../schedule/health.ts';

/**
 * What a controller knows besides the durable state: who is connected, what is in flight, what it was told this time.
 * All of it may be lost at any moment; the next controller finds it out again from state and inventories.
 */
export interface Memory {
  readonly connected: Set<NodeName>;
  /** Connected before the machine slept, and not heard of since: nothing is sent there before they answer. */
  readonly suspect: Set<NodeName>;
  /** Nodes that have been reached, or found unreachable, at least once in this session. */
  readonly tried: Set<NodeName>;
  /** Nodes that do not answer -> their silence as their lease counts it, milliseconds. */
  readonly silent: Map<NodeName, number>;
  /**
   * Of these, the ones that were tried in vain since the controller started, woke, or was cut off itself: `new` since the
   * last look, which is not charged for, or counted.
   */
  readonly vain: Map<NodeName, 'new' | 'counted'>;
  /** Projects whose new work may start. */
  readonly dispatching: Set<ProjectName>;
  /** Projects, or all of them (null), of which nothing new starts, because a part of the controller does not work. */
  readonly safe: Map<ProjectName | null, SafeMode>;
  /** What must hold and does not, as it was found: nothing starts, lands or is reclaimed any more by this controller. */
  readonly doubts: Set<string>;
  /** Attempts whose node says they ended, but whose journal entry has not arrived yet. */
  readonly awaited: Set<Token>;
  /** Claimed attempts whose order has not been taken by the node in this connection. */
  readonly unordered: Set<Token>;
  /** Fenced attempts whose cancel the node has taken. */
  readonly cancelling: Set<Token>;
  /** Attempts whose result nobody needs on the node any more. */
  readonly forgettable: Map<Token, NodeName>;
  /** Ended, not done, but with commits: their branch is brought into the hub so that no work is lost. */
  readonly salvage: Map<Token, CommitId>;
  /** Nodes that refused an order for reasons of their own -> until when they get none. */
  readonly shunned: Map<NodeName, number>;
  /** What those nodes said. */
  readonly refusals: Map<NodeName, string>;
  /** Those of them that had no space: they may be asked again as soon as a look shows some. */
  readonly cramped: Set<NodeName>;
  /** Nodes whose supervisor was asked to give its place to another one, and which are not back. */
  readonly restarting: Set<NodeName>;
  /** What each node said of its disk last. */
  readonly disks: Map<NodeName, DiskLook>;
  /** Why there is no connection to a node. */
  readonly troubles: Map<NodeName, { readonly code: string; readonly message: string }>;
  /** What each merge queue has shown so far. */
  readonly records: Map<ProjectName, QueueRecord>;
  /** Branches of each queue that could be stacked when it was last looked at. */
  readonly waiting: Map<ProjectName, number>;
  /** Projects whose gates are tried on a broken copy before their work may start. */
  readonly controls: Map<ProjectName, ControlRun>;
  /** Where each project's contract was looked at last: the base, and the path. Work waits until that is the base it has. */
  readonly contracts: Map<ProjectName, ContractLook>;
  /** Files that the gates of a project run, as they were last looked at; missing where gates are not tried. */
  readonly gatePaths: Map<ProjectName, ReadonlySet<string>>;
  /** Branches that are known to change none of those. */
  readonly harmless: Set<Token>;
  /**
   * Branches that were looked at for conflicts before their turn: where integration was then; `again`: the newest commit
   * that it has not been held against and may conflict with.
   */
  readonly foreseen: Map<Token, { readonly tip: CommitId; readonly again: CommitId | null }>;
  /** Paths that a branch changed, where all of them are known. */
  readonly changes: Map<Token, ReadonlySet<string>>;
  /** Moves of the target during one collect. */
  readonly races: Map<ProjectName, number>;
  /** Targets that are to be looked at: whether they still have what they had; with a tip, a person takes it as it is. */
  readonly looks: Map<ProjectName, CommitId | null>;
  /** Integration has to be read from the hub again. */
  readonly resync: Set<ProjectName>;
  /** What gates counted on trees that have not landed yet; oldest first. */
  readonly testCounts: Map<string, readonly TestBaseline[]>;
  /** Keys of the effects being performed. */
  readonly inflight: Set<string>;
  /** Failed effects: how often in a row, and when the next try may be. */
  readonly retries: Map<string, { readonly tries: number; readonly at: number }>;
  /** Moments at which something becomes possible by time alone. */
  readonly wakeups: Set<number>;
}

/** The memory of a controller that has just started on this state. */
export function freshMemory(state: State): Memory {
  const wakeups = new Set<number>();
  for (const task of state.tasks.values()) {
    if (task.notBefore > 0 && !isFinal(task.progress)) wakeups.add(task.notBefore);
  }
  for (const { notBefore } of state.credentials.values()) if (notBefore > 0) wakeups.add(notBefore);
  return {
    connected: new Set(),
    suspect: new Set(),
    tried: new Set(),
    silent: new Map(),
    vain: new Map(),
    dispatching: new Set(),
    safe: new Map(),
    doubts: new Set(),
    awaited: new Set(),
    unordered: new Set(),
    cancelling: new Set(),
    forgettable: new Map(),
    salvage: new Map(),
    shunned: new Map(),
    refusals: new Map(),
    cramped: new Set(),
    restarting: new Set(),
    disks: new Map(),
    troubles: new Map(),
    records: new Map(),
    waiting: new Map(),
    controls: new Map(),
    contracts: new Map(),
    gatePaths: new Map(),
    harmless: new Set(),
    foreseen: new Map(),
    changes: new Map(),
    races: new Map(),
    looks: new Map(),
    resync: new Set(),
    testCounts: new Map(),
    inflight: new Set(),
    retries: new Map(),
    wakeups,
  };
}

/** Tasks of a project that have something to be done for them. */
export function* activeOf(state: State, project: ProjectName): Generator<TaskKey> {
  const prefix = `${project}/`;
  for (const key of state.active) if (key.startsWith(prefix)) yield key;
}
