/** What other processes ask a running controller besides commands: it changes nothing that is recorded. */
import type { NodeName, ProjectName } from '../model/ids.ts';
import type { Silence } from '../schedule/lease.ts';
import type { SafeMode } from '../schedule/safe-mode.ts';
import type { ControlStanding } from '../schedule/snapshot.ts';
import type { Health } from '../protocol/messages.ts';

export type Question =
  /** Who is at work here. */
  | { readonly ask: 'about' }
  /** How the nodes are doing, as they said last. */
  | { readonly ask: 'nodes' }
  /** Whether all that it depends on works; answered with a HealthReport. */
  | { readonly ask: 'health' }
  /** Read the project's files and run it: a controller that keeps the home does, and one that runs this very project. Answered with a Reply. */
  | { readonly ask: 'take'; readonly project: ProjectName; readonly skipControl?: string };

export interface NodeLook {
  readonly name: NodeName;
  readonly connected: boolean;
  /** Why there is no connection. */
  readonly trouble: { readonly code: string; readonly message: string } | null;
  /** Null until it has answered once; kept while it cannot be reached. */
  readonly said: NodeReport | null;
  /** Null: it answers, or was not found silent yet. */
  readonly silence: Silence | null;
}

export interface NodeReport {
  /** Wall clock here when the answer came, milliseconds. */
  readonly at: number;
  readonly roundTripMs: number;
  /** The node's wall clock minus ours; as exact as half a round trip. */
  readonly clockOffsetMs: number;
  readonly health: Health;
}

export interface About {
  /** `serve` goes on until it is stopped and takes projects over; `verb` ends with the verb that it belongs to. */
  readonly kind: 'serve' | 'verb';
  readonly pid: number;
  /** Files that have changed and cannot be used: the controller goes on with what it had. */
  readonly refused: readonly RefusedFile[];
  /** How the gates stood their trial, by project; what failed is in no store. */
  readonly controls: readonly (readonly [ProjectName, ControlStanding])[];
  /** What safe mode keeps from starting (null: anything), and why. */
  readonly safe: readonly (readonly [ProjectName | null, SafeMode])[];
  /** Nodes that do not answer, and their silence as their lease counts it, milliseconds. */
  readonly silent: readonly (readonly [NodeName, number])[];
  /** No machine over the network answers, so no lease runs. */
  readonly cutOff: boolean;
}

export interface RefusedFile {
  /** `nodes.json`, `specs/web`. */
  readonly file: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
  /** Wall clock, milliseconds. */
  readonly since: number;
}
