import type { Amount, BudgetRules } from '../model/budget.ts';
import type { Clash } from '../model/conflict.ts';
import type { ControlSubject, Finding, RefusalKind } from '../model/attempt.ts';
import type { QueueRecord } from '../merge/queue/record.ts';
import type { CommitId, Token } from '../model/ids.ts';
import type { NodeName } from '../model/ids.ts';
import type { NodeConfig } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import type { Contract } from '../model/task.ts';
import type { BudgetVerdict } from './budget.ts';
import type { Silence } from './lease.ts';
import type { SafeMode } from './safe-mode.ts';
import type { ProjectName, TaskKey } from '../model/ids.ts';

/** What `decide` looks at. It reads, and never changes, the state. */
export interface Snapshot {
  readonly state: State;
  /** nodes.json as it is now. A node in the state that is not here any more takes no new attempt. */
  readonly nodes: readonly NodeConfig[];
  /** Nodes with a live stream. */
  readonly connected: ReadonlySet<NodeName>;
  /** Projects whose new work may start (`dispatch start`); gates run for every project. */
  readonly dispatching: ReadonlySet<ProjectName>;
  /** Remaining span of the longest chain that starts with the task, milliseconds (from the plan). Missing = its own estimate. */
  readonly chainMs: ReadonlyMap<TaskKey, number>;
  /** Projects (null: all) in safe mode, which are not among the dispatching ones; missing as a whole: none. */
  readonly safe?: ReadonlyMap<ProjectName | null, SafeMode>;
  /** What each merge queue has shown so far; missing = nothing. */
  readonly records: ReadonlyMap<ProjectName, QueueRecord>;
  /** Branches of each queue that can still be put on its stack now; missing = none. */
  readonly waiting: ReadonlyMap<ProjectName, number>;
  /** Nodes that refused an order lately (no space, missing program) -> wall clock until when they get none. */
  readonly shunned: ReadonlyMap<NodeName, number>;
  /** Projects whose gates are being tried on a broken copy, or did not pass that: no new work of theirs starts. */
  readonly controls?: ReadonlyMap<ProjectName, ControlStanding>;
  /** Where each project's contract was looked at last; missing as a whole: it is not known, and keeps nothing. */
  readonly contracts?: ReadonlyMap<ProjectName, ContractLook>;
  /** Nodes that do not answer -> their silence as it is counted, milliseconds; missing where nobody counts. */
  readonly silent?: ReadonlyMap<NodeName, number>;
  /** What they said; for people only. */
  readonly refusals?: ReadonlyMap<NodeName, string>;
  /** What may be spent in this home, and what tokens cost; missing: only the bounds of projects hold. */
  readonly budget?: BudgetRules;
}

export interface ContractLook {
  readonly commit: CommitId;
  readonly path: string;
}

export interface ControlStanding {
  /** Gates to run now. */
  readonly wanted: readonly ControlGate[];
  /** Why the project cannot start. */
  readonly failed: readonly ControlFailure[];
}

export interface ControlGate extends ControlSubject {
  readonly verify: string;
  readonly commit: CommitId;
  readonly tree: string;
}

export interface ControlFailure {
  readonly code: 'E_GATE_PROVES_NOTHING' | 'E_GATE_BROKEN';
  readonly verify: string;
  readonly message: string;
}

/** Start this attempt there. The token is given by the caller when it applies the decision. */
export type Decision =
  | {
      readonly start: 'work';
      readonly task: TaskKey;
      readonly node: NodeName;
      /** The spec's, or its fallback. */
      readonly executor: string;
      /** The key it runs with; null: it needs none. */
      readonly credential: string | null;
      /** What it counts for in budgets until its use is known; missing: none bounds it. */
      readonly reserved?: Amount;
    }
  | {
      readonly start: 'merge-gate';
      readonly task: TaskKey;
      readonly workToken: Token;
      /** The command to run. */
      readonly verify: string;
      /** The area whose projection is judged; null: the whole tree is. */
      readonly area: string | null;
      readonly node: NodeName;
    }
  | {
      readonly start: 'delivery-gate';
      readonly project: ProjectName;
      readonly verify: string;
      readonly node: NodeName;
    }
  | {
      readonly start: 'control-gate';
      readonly project: ProjectName;
      readonly gate: ControlGate;
      readonly node: NodeName;
    };

/** Why a task is not running, most fundamental first: the filters that decided. */
export type Blocker =
  /** Its project's merge queue stands still. */
  | { readonly why: 'held'; readonly reason: string; readonly by: string }
  /** `dead`: `on` are the tasks that failed, were cancelled or reverted, or are parked, however far up; else the direct dependencies still unmerged. */
  | { readonly why: 'dependency'; readonly on: readonly TaskKey[]; readonly dead: boolean }
  | { readonly why: 'lock'; readonly holder: TaskKey; readonly path: string }
  /** `forMs`: milliseconds from now until `until`. */
  | { readonly why: 'backoff'; readonly until: number; readonly reason: string; readonly forMs: number }
  | { readonly why: 'not-started' }
  /** A part of the controller does not work. */
  | { readonly why: 'safe-mode'; readonly part: string; readonly reason: string; readonly since: number }
  | { readonly why: 'no-base' }
  /** Its project's gates have yet to go red on a broken copy; `nodes`: where that could run now, while it waits for one. */
  | {
      readonly why: 'control';
      readonly failed: ControlFailure | null;
      readonly nodes: readonly NodeVerdict[];
    }
  /** Its project's contract changed and waits for a person; `changed` null: it is about to be looked at. */
  | { readonly why: 'contract'; readonly path: string; readonly changed: Contract['changed'] }
  /** An earlier attempt, or a gate on its work, has not ended on its node yet. */
  | { readonly why: 'attempt'; readonly token: Token; readonly node: NodeName }
  /** It is at work, or its branch lies, on a node that does not answer; null: nobody says how long. */
  | { readonly why: 'silent'; readonly node: NodeName; readonly silence: Silence | null }
  | { readonly why: 'nodes'; readonly nodes: readonly NodeVerdict[] }
  /** Every key of its executor is in full use or was refused by its provider. */
  | { readonly why: 'credential'; readonly credentials: readonly CredentialVerdict[] }
  /** These bounds leave no room for it. */
  | { readonly why: 'budget'; readonly budgets: readonly BudgetVerdict[] }
  // not open: somebody else has the next move
  /** `approvals`: what the gates want a person to look at; empty when only the review policy asks. */
  | { readonly why: 'review'; readonly approvals: readonly Finding[] }
  | { readonly why: 'parked'; readonly reason: string }
  /** Its branch does not go together with what is on its way into integration, or with what is there. */
  | { readonly why: 'conflict'; readonly clash: Clash }
  | { readonly why: 'merging'; readonly at: 'finished' | 'queued' | 'gating' | 'landing' }
  /** It has merged, and what it depends on was reverted. */
  | { readonly why: 'rests'; readonly on: readonly TaskKey[] }
  /** `reason`: why it failed, was cancelled or reverted; null when it has merged. */
  | {
      readonly why: 'over';
      readonly at: 'merged' | 'reverted' | 'failed' | 'cancelled';
      readonly reason: string | null;
      readonly findings: readonly Finding[];
    };

/** What one key that a task could run with says. */
export interface CredentialVerdict {
  readonly credential: string;
  readonly executor: string;
  readonly inFlight: number;
  /** Attempts that it may carry at once now; null: nothing bounds it. */
  readonly allowed: number | null;
  /** Wall clock until which it is left alone, and how long that is; null: it is not. */
  readonly until: number | null;
  readonly forMs: number | null;
  /** The refusal that counts now; null: none does. */
  readonly refused: { readonly at: number; readonly why: RefusalKind; readonly message: string } | null;
  /** Only a person can mend the key. */
  readonly needsPerson: boolean;
}

export type NodeVerdict =
  | { readonly node: NodeName; readonly ok: true; readonly free: number }
  | {
      readonly node: NodeName;
      readonly ok: false;
      readonly why:
        | 'not-connected'
        | 'cordoned'
        | 'draining'
        | 'ailing'
        | 'full'
        | 'executor'
        | 'program'
        | 'cage'
        | 'unasked'
        | 'shunned';
      readonly detail: string;
    };
