/** What the rules are held against besides the durable state: what was measured here, and since when it has been so. */
import type { NodeName, ProjectName } from '../model/ids.ts';

export interface PartFigure {
  readonly project: ProjectName | null;
  readonly failures: number;
  readonly safe: { readonly reason: string } | null;
}

export interface Figures {
  /** Wall clock: this process has been awake, and has looked, without a break since. What went before is nobody's fault. */
  readonly awakeSince: number;
  /** The disk that holds the home, bytes; null: it could not be asked. */
  readonly disk: { readonly free: number; readonly total: number } | null;
  /** Size of the store's write-ahead log, bytes. */
  readonly walBytes: number | null;
  /** One turn of the event loop in a hundred was later than this since the last look, milliseconds. */
  readonly loopDelayMs: number | null;
  /** Nodes without a connection -> since when, wall clock. */
  readonly downSince: ReadonlyMap<NodeName, number>;
  /** When each connected node last said how it is doing. */
  readonly heardAt: ReadonlyMap<NodeName, number>;
  /** When something last happened in each project, as far as this process saw it. */
  readonly movedAt: ReadonlyMap<ProjectName, number>;
  /** Since when fewer slots work than the rule asks for; null: enough do. */
  readonly idleSince: number | null;
  /** What must hold of the state and does not: a defect. */
  readonly doubts: ReadonlySet<string>;
  /** What could not be applied, and where it is kept; oldest first. */
  readonly asides: readonly string[];
  /** Parts of the controller that did something since it began: the failures in a row, and why no new work starts for them. */
  readonly parts: ReadonlyMap<string, PartFigure>;
  /** Why the backup of the day cannot be made; null: nothing is known to be wrong. `tried`: since this process began, or it is not due. */
  readonly backup: { readonly tried: boolean; readonly failing: string | null };
  /** Every sink of alerts.yaml: why it fails, null where it works; `tried`: since this process began. */
  readonly sinks: ReadonlyMap<string, { readonly tried: boolean; readonly failing: string | null }>;
}
