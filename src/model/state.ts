import type { AlertState } from './alert.ts';
import type { Attempt } from './attempt.ts';
import type { Credential } from './credential.ts';
import type { ProgramReport } from './executor.ts';
import type { NodeHealth } from './health.ts';
import type { NodeName, ProjectName, TaskKey, Token } from './ids.ts';
import type { NodeSilence } from './lease.ts';
import { NotedSet } from './noted-set.ts';
import type { Project, Task } from './task.ts';

export interface NodeState {
  readonly name: NodeName;
  bootId: string | null;
  journal: string | null;
  /** Highest journal entry applied. */
  cursor: number;
  mark: 'none' | 'cordon' | 'drain';
  /** Program hash it last said hello with. */
  program: string | null;
  /** What its agents' programs said last, by `programKey` of their executors. */
  programs: Readonly<Record<string, ProgramReport>>;
  /** Null: it was heard of lately enough. */
  silence: NodeSilence | null;
  /** What is wrong with it, what is being done about that, and what was lately. */
  health: NodeHealth;
}

/** All state, rebuilt from events by `evolve`. Maps keep insertion order, so iteration is deterministic. */
export interface State {
  /** Epoch of the newest controller. */
  epoch: number;
  readonly projects: Map<ProjectName, Project>;
  readonly tasks: Map<TaskKey, Task>;
  readonly attempts: Map<Token, Attempt>;
  readonly nodes: Map<NodeName, NodeState>;
  /** Keys that were refused at least once, by name. */
  readonly credentials: Map<string, Credential>;
  /** By key, in the order in which they were first found. */
  readonly alerts: Map<string, AlertState>;

  // Indexes over the above, kept by `evolve` so that a turn costs what changed and not what exists.
  /** Who waits for a task to merge. */
  readonly dependents: Map<TaskKey, Set<TaskKey>>;
  /** Open tasks whose dependencies have all merged. */
  readonly startable: Set<TaskKey>;
  /** Tasks that are neither open nor final: something has to be done for them. */
  readonly active: Set<TaskKey>;
  /** Attempts claimed or running, per node. */
  readonly live: Map<NodeName, Set<Token>>;
  /** Fenced attempts that their node has not confirmed as ended: it is told to cancel them. */
  readonly fenced: Set<Token>;
  /** Tasks that hold the lock on their `modifies`. */
  readonly locked: Set<TaskKey>;
}

export function emptyState(): State {
  return {
    epoch: 0,
    projects: new Map(),
    tasks: new Map(),
    attempts: new Map(),
    nodes: new Map(),
    credentials: new Map(),
    alerts: new Map(),
    dependents: new Map(),
    startable: new NotedSet(),
    active: new Set(),
    live: new Map(),
    fenced: new Set(),
    locked: new Set(),
  };
}
