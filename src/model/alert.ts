/**
 * Alerts as they are kept: what was found wrong, who was told, and whether it is over. `alert.raised` (found),
 * `alert.told` (a sink took it), `alert.acked` (a person knows), `alert.resolved` (it is gone) are facts of the log, so
 * the next controller tells nobody a second time.
 */
import type { ErrorCode } from './codes/index.ts';

/** P0: now. P1: today, not in quiet hours. P2: in the daily report, and to nobody at once. */
export type AlertLevel = 'P0' | 'P1' | 'P2';

/** What is wrong, as a look at the state and at this machine finds it. */
export interface Cause {
  /** The same for as long as the same thing is wrong: `stall/web/S03`, `wal`. */
  readonly key: string;
  /** Name of the rule of alerts.yaml that found it. */
  readonly rule: string;
  readonly level: AlertLevel;
  readonly code: ErrorCode;
  /** What it is about: a project, a node, this machine. */
  readonly about: string;
  /** Text of nodes and agents may be in it. */
  readonly message: string;
  /** What to type; null: nothing has to be done yet. */
  readonly fix: string | null;
}

/** One form of a cause: a node that was silent is lost. */
export interface Telling extends Pick<Cause, 'code' | 'level'> {
  readonly at: number;
}

export interface AlertState extends Cause {
  /** Wall clock, milliseconds: when it was found, the last time that it began. */
  readonly since: number;
  /** When somebody was last to be told; a cause that comes back within a day of it is not told again. */
  readonly announcedAt: number;
  /** When somebody was last to be told of each form that it had: it may get worse, and better, and worse again. */
  readonly tellings: readonly Telling[];
  /** It came back within a day of the last telling: listed, not told. */
  readonly quiet: boolean;
  /** Names of the sinks that took it. */
  readonly told: readonly string[];
  readonly acked: { readonly by: string; readonly at: number } | null;
  readonly resolved: { readonly at: number; readonly told: readonly string[] } | null;
}
