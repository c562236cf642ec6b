import type { CommitId } from '../model/ids.ts';
import type { ControlFailure, ControlGate } from '../schedule/snapshot.ts';

/** A project's gates while they are tried on a broken copy. Lost with the controller, whose successor begins anew. */
export interface ControlRun {
  /** Commands to try, each once. */
  readonly commands: readonly string[];
  /** What they are tried on, as soon as the hub has told; it stays the same while integration grows. */
  base: ControlBase | null;
  /** Broken copies of the base, by command. */
  readonly copies: Map<string, { readonly commit: CommitId; readonly tree: string; readonly files: number }>;
  /** Gates in a row that could not judge, by command. */
  readonly breaks: Map<string, { readonly times: number; readonly reason: string }>;
  /** Commands whose broken copy is to be made. */
  unmade: readonly string[];
  wanted: readonly ControlGate[];
  failed: readonly ControlFailure[];
}

export interface ControlBase {
  readonly commit: CommitId;
  readonly tree: string;
  /** Fingerprint of the gate's own files, by command. */
  readonly files: Readonly<Record<string, string>>;
}

export function freshRun(commands: readonly string[]): ControlRun {
  return {
    commands,
    base: null,
    copies: new Map(),
    breaks: new Map(),
    unmade: [],
    wanted: [],
    failed: [],
  };
}
