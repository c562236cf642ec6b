/** What a person reads in the evening about all projects of a home. Spans are milliseconds, instants wall clock. */
import type { AlertLevel } from '../../model/alert.ts';
import type { Finding, Loss, RefusalKind, Step } from '../../model/attempt.ts';
import type { CommitId, NodeName, ProjectName, TaskId } from '../../model/ids.ts';
import type { Capacity } from '../advice.ts';
import type { Alert } from '../alerts.ts';
import type { DeliveryReport, FlakyGateReport, Refusal, TokenSum, WaitingForPerson } from '../model.ts';
import type { Period } from '../../model/period.ts';
import type { Axis } from './axis.ts';

export interface DailyReport {
  readonly period: Period;
  /** How far it looks: the end of the period, or the moment it was made while the period lasts. */
  readonly until: number;
  readonly measures: Measures;
  /** The same for the day or week before; null when the log begins later. */
  readonly before: Measures | null;
  /** Single days up to the last one of the period, oldest first. */
  readonly trend: readonly { readonly date: string; readonly measures: Measures }[];
  /** What was found wrong in the period, or still is: all levels, the worst first. */
  readonly alerts: readonly AlertDay[];
  /** Projects with something to tell, by name. */
  readonly projects: readonly ProjectDay[];
  /** Projects in which nothing happened and nothing is left to do. */
  readonly quiet: readonly ProjectName[];
  /** Why attempts did not end well, most frequent first. */
  readonly failures: readonly CauseCount[];
  readonly retries: Retries;
  readonly flaky: readonly FlakyDay[];
  /** Gates by verify command, slowest median first. */
  readonly gates: readonly GateTime[];
  /** Where the time of work attempts went, as far as it was told. */
  readonly steps: Readonly<Record<Step, number>>;
  readonly fleet: FleetDay;
  readonly timeline: Timeline;
  /** What the charts show. */
  readonly axis: Axis;
  /** What executors used, most expensive first. */
  readonly spending: readonly Spending[];
  /** Of when the list of prices is that money was computed from; null: money is what executors reported. */
  readonly pricesAsOf: string | null;
  /** First rounds by kind of spec. */
  readonly specs: readonly KindRate[];
  readonly person: PersonTime;
  readonly capacity: Capacity;
  /** What to type, most useful first. */
  readonly tomorrow: readonly NextStep[];
  /** Events of the log that lie in the period. */
  readonly events: number;
}

export interface AlertDay {
  readonly level: AlertLevel;
  readonly key: string;
  readonly about: string;
  readonly message: string;
  readonly since: number;
  readonly is: 'open' | 'over';
}

/** The success measures. */
export interface Measures {
  /** Tasks whose work landed, or was completed where there is no repository. */
  readonly merged: number;
  /** Days of the period that have begun to pass, at least a part of one; for tasks a day. */
  readonly days: number;
  readonly reverted: number;
  readonly failed: number;
  readonly refusals: number;
  /** Slot-time used by attempts, of that which was available: see `NodeDay`. */
  readonly usedMs: number;
  readonly availableMs: number;
  /** First attempts that came to an end, and those of them that were good in their first round. */
  readonly firstRound: { readonly passed: number; readonly of: number };
  /** From the spec's arrival to its merge; null when nothing merged. */
  readonly specToMerge: { readonly median: number; readonly p90: number; readonly of: number } | null;
  readonly personMinutes: number;
  readonly acts: number;
  readonly tokens: TokenSum;
}

export interface ProjectDay {
  readonly project: ProjectName;
  readonly target: string;
  /** All tasks of the project at the end, by who has the next move. */
  readonly standing: Standing;
  readonly merged: readonly MergedTask[];
  readonly refusals: readonly Refusal[];
  readonly failed: readonly { readonly task: TaskId; readonly reason: string }[];
  readonly conflicts: readonly ConflictDay[];
  readonly reverted: readonly TaskId[];
  readonly waiting: readonly WaitingForPerson[];
  readonly alerts: readonly Alert[];
  readonly delivery: DeliveryReport;
  /** Tasks that `collect` landed on the target in the period. */
  readonly delivered: number;
}

export interface Standing {
  readonly total: number;
  readonly merged: number;
  /** A person has to decide. */
  readonly you: number;
  /** An agent is at work, or gets it back. */
  readonly agents: number;
  readonly gates: number;
  /** Ready; no slot, key or controller has taken it. */
  readonly slots: number;
  /** Another task has to merge, or to let go of paths, or a back-off to pass. */
  readonly tasks: number;
  /** Taken back, given up. */
  readonly out: number;
}

export interface MergedTask {
  readonly task: TaskId;
  readonly title: string;
  /** null without a repository. */
  readonly commit: CommitId | null;
  readonly at: number;
  /** Since its spec arrived. */
  readonly tookMs: number;
  readonly attempts: number;
  /** Of the attempt that merged; null: not told. */
  readonly rounds: number | null;
  readonly node: NodeName;
  readonly executor: string;
}

export interface ConflictDay {
  readonly task: TaskId;
  readonly against: readonly TaskId[];
  readonly paths: readonly string[];
  readonly times: number;
}

/** Why an attempt did not end well. */
export type Cause =
  | { readonly is: 'gate'; readonly gate: Finding['gate'] }
  | { readonly is: 'provider'; readonly refusal: RefusalKind }
  | { readonly is: 'failed'; readonly what: 'prepare' | 'executor' | 'empty' | 'gate' }
  | { readonly is: 'lost'; readonly why: Loss }
  | { readonly is: 'timeout' | 'overspent' | 'cancelled' | 'fenced' | 'branch' | 'merge' | 'conflict' };

export interface CauseCount {
  readonly cause: Cause;
  readonly count: number;
  /** Tasks it happened to, the first few. */
  readonly tasks: readonly string[];
}

export interface Retries {
  /** Attempts after a task's first. */
  readonly attempts: number;
  /** Tasks that had one. */
  readonly tasks: number;
  /** Rounds after an attempt's first, of attempts that ended. */
  readonly rounds: number;
}

export interface FlakyDay extends FlakyGateReport {
  readonly project: ProjectName;
  /** Flakes within the period; the other figures are of all time. */
  readonly today: number;
}

export interface GateTime {
  readonly project: ProjectName;
  readonly verify: string;
  readonly runs: number;
  readonly red: number;
  readonly broken: number;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly totalMs: number;
}

/**
 * A node's slots over the period. A slot that worked was available, also while no controller was there. One that did not
 * was available while the controller was awake, had a stream to the node, and might place work there. So the time that a
 * laptop slept, a node was away, cordoned or drained, or nobody ran `dispatch` is not idle time.
 */
export interface NodeDay {
  readonly node: NodeName;
  /** As nodes.json has them now; null when it lists the node no more. */
  readonly slots: number | null;
  readonly usedMs: number;
  readonly availableMs: number;
  /** Most attempts at one moment. */
  readonly peak: number;
  readonly attempts: number;
  /** Times the connection went, and how long it was gone while the controller was awake. */
  readonly outages: number;
  readonly awayMs: number;
}

export interface FleetDay {
  readonly nodes: readonly NodeDay[];
  /** Of the axis, without a gap. */
  readonly buckets: readonly Bucket[];
  readonly bucketMs: number;
  /** The controller's machine slept; nobody controlled. */
  readonly asleepMs: number;
  readonly absentMs: number;
  readonly restarts: number;
  readonly onboarded: readonly Onboarding[];
}

/** What happened within a short while; both ends as in a period. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly usedMs: number;
  readonly availableMs: number;
  readonly merged: number;
  /** Refusals and attempts that came to nothing. */
  readonly bad: number;
  /** By executor. */
  readonly spent: Readonly<Record<string, { readonly tokens: number; readonly costUsd: number }>>;
}

/** A node that was seen for the first time; what bootstrap did before its first connection is in no log. */
export interface Onboarding {
  readonly node: NodeName;
  readonly connectedAt: number;
  /** Until the first work attempt there ended well; null: none has. */
  readonly tookMs: number | null;
}

/** Attempts laid out on the slots they could have had; a slot is a lane, and not a name that a node knows. */
export interface Timeline {
  readonly lanes: readonly Lane[];
  /** Lanes that were left out, because there are more than a page shows. */
  readonly more: number;
}

export interface Lane {
  readonly node: NodeName;
  /** From 1. */
  readonly slot: number;
  readonly spans: readonly LaneSpan[];
}

export type SpanKind = 'good' | 'bad' | 'lost' | 'gate' | 'red' | 'running';

export interface LaneSpan {
  readonly from: number;
  readonly to: number;
  readonly kind: SpanKind;
  /** `web/S01 attempt 2`; with several attempts that are too short to be told apart, their number. */
  readonly label: string;
}

export interface Spending {
  readonly executor: string;
  readonly attempts: number;
  readonly merged: number;
  readonly tokens: TokenSum;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedTokens: number | null;
  /** US dollars that agents reported themselves; null: none did. `tokens` has what it costs. */
  readonly reportedUsd: number | null;
  readonly workMs: number;
}

/** A sort of spec, by what its front matter says. */
export type SpecKind =
  | { readonly by: 'executor'; readonly executor: string }
  | { readonly by: 'width'; readonly width: 'none' | 'one' | 'few' | 'many' | 'folder' }
  | { readonly by: 'tests'; readonly tests: boolean }
  | { readonly by: 'depends'; readonly depends: boolean };

export interface KindRate {
  readonly kind: SpecKind;
  readonly passed: number;
  readonly of: number;
}

/** What a person did; minutes are the number of acts times what one usually takes (`ACT_MINUTES`). */
export interface PersonTime {
  readonly minutes: number;
  readonly acts: readonly {
    readonly act: Act;
    readonly count: number;
    readonly minutesEach: number;
  }[];
}

export type Act =
  | 'approve'
  | 'reject'
  | 'by-hand'
  | 'retry'
  | 'cancel'
  | 'revert'
  | 'queue'
  | 'collect'
  | 'start'
  | 'node';

export type NextStep =
  | {
      readonly do: 'alert';
      readonly command: string;
      readonly project: ProjectName;
      readonly message: string;
    }
  | { readonly do: 'release'; readonly command: string; readonly reason: string }
  | { readonly do: 'review'; readonly command: string; readonly task: string; readonly reason: string }
  | {
      readonly do: 'mend';
      readonly command: string;
      /** After that. */
      readonly next: string;
      readonly task: string;
      readonly reason: string;
    }
  | { readonly do: 'collect'; readonly command: string; readonly target: string; readonly count: number }
  | { readonly do: 'start'; readonly command: string; readonly count: number }
  | { readonly do: 'reach'; readonly command: string; readonly nodes: readonly string[] }
  | { readonly do: 'add-nodes'; readonly command: string; readonly nodes: number };
