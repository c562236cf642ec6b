import type { Finding } from '../model/attempt.ts';
import type { Clash } from '../model/conflict.ts';
import type { CommitId, NodeName, ProjectName, TaskId } from '../model/ids.ts';
import type { NodeState } from '../model/state.ts';
import type { Capacity } from './advice.ts';
import type { Lesson } from './lessons.ts';
import type { LookReport } from './second-look.ts';
import type { Control } from '../model/task.ts';
import type { Alert } from './alerts.ts';
import type { ContractReport } from './contract.ts';
import type { AgentWord } from './notes.ts';
import type { LateResult } from './late.ts';
import type { StatusWord } from '../schedule/status.ts';

/** What a person wants to know about a project in the evening. All spans are milliseconds, all instants wall clock. */
export interface Report {
  readonly project: ProjectName;
  readonly target: string;
  readonly at: number;
  readonly tasks: readonly TaskReport[];
  /** How many tasks have each word; words that no task has are left out. */
  readonly counts: Readonly<Partial<Record<StatusWord, number>>>;
  /** First claim to the last end of any attempt (now, while one is alive); null before the first. */
  readonly span: { readonly from: number; readonly to: number } | null;
  readonly concurrency: Concurrency | null;
  readonly tokens: TokenSum;
  /** What stops the project, and why. */
  readonly alerts: readonly Alert[];
  /** Machines that something ails, or ailed lately. */
  readonly machines: readonly MachineReport[];
  /** What tries on broken copies showed of the gates, the newest word on each command. */
  readonly controls: readonly Control[];
  /** What the branches changed, by the newest one of each task that was fetched. */
  readonly scopes: readonly ScopeReport[];
  /** What the tasks agree on; null: nothing, or it was not looked at yet. */
  readonly contract: ContractReport | null;
  /** What agents say of their own work: the newest attempt of each task that said something. */
  readonly words: readonly AgentWord[];
  readonly refusals: readonly Refusal[];
  readonly conflicts: readonly ConflictReport[];
  /** Results of attempts that had been given up. */
  readonly late: readonly LateResult[];
  /** Gates that were red and then green on the same commit. */
  readonly flaky: readonly FlakyGateReport[];
  readonly waiting: readonly WaitingForPerson[];
  /** What a second model found in what has merged. */
  readonly looks: readonly LookReport[];
  readonly delivery: DeliveryReport;
  /** How good the specs are, by `dispatch lint` and by what came of them; null without one. */
  readonly quality: SpecQuality | null;
  /** Whether more machines would help; null where the machines are not known. */
  readonly capacity: Capacity | null;
  /** Command lines, most useful first. */
  readonly next: readonly Step[];
}

export interface MachineReport {
  readonly node: NodeName;
  readonly mark: NodeState['mark'];
  /** What is wrong with it, in words, oldest first. */
  readonly ails: readonly { readonly since: number; readonly text: string }[];
  /** The last few, newest first. */
  readonly healed: readonly { readonly at: number; readonly text: string }[];
}

export interface TaskReport {
  readonly id: TaskId;
  readonly title: string;
  readonly status: StatusWord;
  /** Why it is where it is: the reason of a failure, a parking, a back-off; null when there is nothing to say. */
  readonly reason: string | null;
  /** Nodes its work ran on, in order, each once. */
  readonly nodes: readonly string[];
  /** Work attempts. */
  readonly attempts: number;
  /** Rounds of all attempts; null when no attempt has told. */
  readonly rounds: number | null;
  /** Sum of the spans of its work attempts. */
  readonly workMs: number;
  /** First claim until it was over (or now); null before the first claim. */
  readonly elapsedMs: number | null;
  readonly tokens: TokenSum;
  /** Merge commit on integration; null when not merged, or without a repository. */
  readonly commit: CommitId | null;
  /** It has merged, and these, which it depends on, were reverted. */
  readonly restsOn: readonly TaskId[];
}

/** Tokens in and out. What an agent did not report is unknown, and not zero. */
export interface TokenSum {
  /** null when no attempt reported any. */
  readonly total: number | null;
  /** Ended attempts without a figure. */
  readonly unknown: number;
  /** US dollars as reported; null when nothing was. */
  readonly costUsd: number | null;
}

export interface Concurrency {
  /** Slots of all nodes. */
  readonly slots: number;
  /** Most attempts, gates included, at one moment. */
  readonly peak: number;
  /** Mean number of work attempts between the first claim and the last end. */
  readonly used: number;
  /** Mean of what could have run at each moment: tasks with nothing left to wait for, at most `slots`. */
  readonly possible: number;
}

export interface ScopeReport {
  readonly task: TaskId;
  readonly n: number;
  /** Patterns of `modifies`. */
  readonly claimed: readonly string[];
  /** Paths really changed, the first of them; null when an older version of the program recorded none. */
  readonly actual: readonly string[] | null;
  /** Those that are not claimed: refused, or approved by a person. */
  readonly outside: readonly string[];
}

export interface Refusal {
  readonly task: TaskId;
  readonly n: number;
  readonly at: number;
  /** Who refused: gates on the node, the controller's own gates on the branch, the gate on the merged tree, or on the tree without it. */
  readonly by: 'node' | 'branch' | 'merge' | 'revert';
  readonly findings: readonly Finding[];
}

export interface ConflictReport extends Clash {
  readonly task: TaskId;
  readonly n: number;
  readonly at: number;
}

export interface FlakyGateReport {
  readonly verify: string;
  /** Runs with a verdict. */
  readonly runs: number;
  /** Red runs that turned green on the same commit. */
  readonly flakes: number;
  /** `flakes` of `runs`, 0 to 1. */
  readonly rate: number;
  /** Wall clock of the last one. */
  readonly last: number | null;
  /** Tests that failed in one of them, where the runner named them; the latest first. */
  readonly tests: readonly {
    readonly name: string;
    readonly flakes: number;
    readonly rate: number;
    readonly last: number;
  }[];
}

export interface WaitingForPerson {
  readonly task: TaskId;
  readonly what: 'review' | 'found' | 'parked' | 'failed' | 'reverted';
  readonly reason: string;
  readonly command: string;
}

export interface SpecQuality {
  /** Mean score, 0 to 100. */
  readonly mean: number;
  /** Specs. */
  readonly of: number;
  /** The most doubtful first, those with a doubt only, at most ten. */
  readonly lowest: readonly {
    readonly task: TaskId;
    readonly score: number;
    readonly doubts: readonly string[];
  }[];
  /** What first rounds have shown about kinds of specs, the most telling first. */
  readonly lessons: readonly Lesson[];
}

export type DeliveryReport =
  | { readonly is: 'none' }
  | { readonly is: 'running'; readonly at: string }
  | { readonly is: 'failed'; readonly code: string; readonly message: string; readonly when: number }
  /** `pending`: merged into integration since, not on the target yet. */
  | { readonly is: 'landed'; readonly commit: CommitId; readonly when: number; readonly pending: number };

export interface Step {
  readonly command: string;
  readonly purpose: string;
}
