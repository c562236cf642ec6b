/**
 * The one door between the pure core and the world. The core takes inputs and returns the facts to record; `needs`
 * derives from the state which effects are wanted. Whoever drives the core (the loop in production, the simulator in
 * tests) records the facts durably, then performs the effects, and brings their results back as inputs.
 *
 * Effects are level-triggered: an effect is wanted as long as the state says so and its key is not in flight. So a
 * crash, a lost reply or a failed call needs no bookkeeping: the next turn wants the same effect again, and every
 * effect is idempotent by its token, its commit or its old value.
 */
import type { SafeMode } from '../schedule/safe-mode.ts';
import type { HubEffect, HubResult } from '../merge/door.ts';
import type { Cause } from '../model/alert.ts';
import type { ErrorCode } from '../model/codes/index.ts';
import type { ProgramReport } from '../model/executor.ts';
import type { AilmentKind } from '../model/health.ts';
import type { CommitId, NodeName, ProjectName, TaskKey, Token } from '../model/ids.ts';
import type { SecondLook } from '../model/second-look.ts';
import type { ProjectConfig, TaskSpec } from '../model/spec.ts';
import type { DiskLook } from '../schedule/health.ts';
import type { InventoryEntry, JournalEntry, Refusal, Welcome } from '../protocol/messages.ts';

export type Effect =
  /** Order an attempt on its node; the order is built from state and store. */
  | { readonly do: 'start'; readonly key: string; readonly token: Token; readonly node: NodeName }
  | {
      readonly do: 'cancel';
      readonly key: string;
      readonly token: Token;
      readonly node: NodeName;
      readonly reason: string;
    }
  /** Tell the node that the attempt's tree may be reclaimed. */
  | { readonly do: 'forget'; readonly key: string; readonly token: Token; readonly node: NodeName }
  /** Something is done about what ails a node; then it is looked at again. */
  | {
      readonly do: 'mend';
      readonly key: string;
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      readonly by: 'sweep' | 'restart';
    }
  | HubEffect;

export type Input =
  | { readonly is: 'tick' }
  /** This controller has taken the lease. */
  | { readonly is: 'acquired'; readonly host: string; readonly pid: number }
  | {
      readonly is: 'node.up';
      readonly node: NodeName;
      readonly welcome: Welcome;
      readonly inventory: readonly InventoryEntry[];
      /** Hash of the program that this controller ships; missing: it has none of its own. */
      readonly program?: string;
    }
  /** How a node is doing, as it said just now. */
  | { readonly is: 'node.looked'; readonly node: NodeName; readonly disk: DiskLook }
  /** The machine slept. Connections that were up prove themselves next: each is followed by `node.alive` or `node.down`. */
  | { readonly is: 'woke'; readonly sleptMs: number }
  /** So much time has passed on the monotonic clock with this process awake, since the last such word. */
  | { readonly is: 'awake'; readonly ms: number }
  | { readonly is: 'node.alive'; readonly node: NodeName }
  | {
      readonly is: 'node.down';
      readonly node: NodeName;
      readonly reason: string;
      readonly code?: ErrorCode;
    }
  | {
      readonly is: 'node.news';
      readonly node: NodeName;
      readonly journal: string;
      readonly entries: readonly JournalEntry[];
    }
  /** Something that the node said was put aside, because the state refuses it. */
  | { readonly is: 'unfit'; readonly node: NodeName; readonly why: string }
  /** What a node's programs say about themselves. */
  | {
      readonly is: 'node.probed';
      readonly node: NodeName;
      readonly programs: Readonly<Record<string, ProgramReport>>;
    }
  /** A part of the controller does not work: no new work of the project (null: of any) starts, or it may again. */
  | { readonly is: 'safe'; readonly project: ProjectName | null; readonly on: SafeMode | null }
  // results of effects; each ends the effect with the same key
  /** The order was taken, or was known already. */
  | { readonly is: 'started'; readonly key: string; readonly token: Token }
  | {
      readonly is: 'start.refused';
      readonly key: string;
      readonly token: Token;
      readonly refusal: Refusal;
      readonly message: string;
    }
  | {
      readonly is: 'cancelled';
      readonly key: string;
      readonly token: Token;
      readonly state: 'cancelling' | 'ended' | 'unknown';
    }
  | { readonly is: 'forgotten'; readonly key: string; readonly token: Token }
  | {
      readonly is: 'mended';
      readonly key: string;
      readonly node: NodeName;
      readonly ailment: AilmentKind;
      /** In words; null: it is done when the node has come back. */
      readonly did: string | null;
    }
  | HubResult
  // alerts
  /** The rules were held against the state and this machine. */
  | {
      readonly is: 'alerts.judged';
      readonly found: readonly Cause[];
      /** Of these nothing could be said. */
      readonly undecided: ReadonlySet<string>;
      /** A cause is told once in this span, milliseconds. */
      readonly againMs: number;
    }
  /** A sink took the news of these. */
  | {
      readonly is: 'alerts.told';
      readonly sink: string;
      readonly raised: readonly string[];
      readonly resolved: readonly string[];
    }
  | { readonly is: 'command'; readonly command: Command };

/** What a person asks for, from the command line or over the controller's socket. */
export type Command =
  | {
      readonly verb: 'load';
      readonly config: ProjectConfig;
      readonly specs: readonly { spec: TaskSpec; text: string }[];
    }
  | {
      readonly verb: 'start';
      readonly project: ProjectName;
      /** Why gates are not tried on a broken copy this time. */
      readonly skipControl?: string;
    }
  | { readonly verb: 'collect'; readonly project: ProjectName }
  | { readonly verb: 'cancel'; readonly task: TaskKey; readonly reason: string }
  /** Take out of integration what the task merged. */
  | { readonly verb: 'revert'; readonly task: TaskKey; readonly by: string; readonly reason: string }
  | { readonly verb: 'retry'; readonly task: TaskKey; readonly by: string }
  | {
      readonly verb: 'review';
      readonly task: TaskKey;
      readonly approved: boolean;
      readonly by: string;
      readonly reason: string;
    }
  /** The contract as the base has it counts from now on. `hash`: what the person was shown; missing: whatever it is. */
  | {
      readonly verb: 'accept-contract';
      readonly project: ProjectName;
      readonly hash?: string | null;
      readonly by: string;
    }
  /** A person worked on it by hand; the commit is in the hub. */
  | { readonly verb: 'hand-back'; readonly task: TaskKey; readonly commit: CommitId; readonly by: string }
  /** A second model has looked at what an attempt merged. */
  | { readonly verb: 'look'; readonly task: TaskKey; readonly token: Token; readonly look: SecondLook }
  /** Stop the merge queue, or let it go on. */
  | { readonly verb: 'hold'; readonly project: ProjectName; readonly by: string; readonly reason: string }
  /** A person takes the keyboard of this attempt. */
  | { readonly verb: 'intervene'; readonly task: TaskKey; readonly token: Token; readonly by: string }
  | { readonly verb: 'front'; readonly task: TaskKey; readonly by: string }
  | {
      readonly verb: 'release';
      readonly project: ProjectName;
      readonly by: string;
      /** The target lost what it had, and counts as it is now. */
      readonly acceptTarget?: boolean;
    }
  | { readonly verb: 'mark'; readonly node: NodeName; readonly mark: 'none' | 'cordon' | 'drain' }
  /** The machine is gone: its work starts elsewhere, and its lease is not waited for. */
  | { readonly verb: 'expire'; readonly node: NodeName; readonly by: string }
  /** A person knows of this alert. */
  | { readonly verb: 'ack'; readonly key: string; readonly by: string };
