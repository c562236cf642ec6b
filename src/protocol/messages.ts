/**
 * What goes over the one byte stream between the controller and a node's supervisor.
 *
 * The stream carries frames (see frame.ts): JSON messages, and binary chunks that belong to a transfer. Requests carry
 * an `id`; each gets exactly one `reply` or `error` with the same id. Chunks and pushed events come in between. The
 * controller speaks first: `hello`. Every request that changes something carries the controller's epoch; a lower epoch
 * than the node has seen is answered with error `fenced`. `start`, `cancel`, `forget` are idempotent by token.
 */
import type { ProbeAsk } from '../executors/probe.ts';
import type { Notes, Outcome, ProviderRefusal, Step } from '../model/attempt.ts';
import type { ProgramReport } from '../model/executor.ts';
import type { CommitId, ProjectName, TaskId, Token } from '../model/ids.ts';
import type { Stall } from '../model/stall.ts';
import type { AttemptOrder } from './order.ts';

export type Request =
  | { readonly op: 'hello'; readonly protocol: number; readonly epoch: number; readonly controller: string }
  | { readonly op: 'start'; readonly order: AttemptOrder }
  | { readonly op: 'cancel'; readonly token: Token; readonly reason: string; readonly epoch: number }
  | { readonly op: 'inventory' }
  /** Push journal entries with seq > `from` from now on, old ones first; one subscription per stream. */
  | { readonly op: 'subscribe'; readonly from: number }
  /** Entries up to `seq` are durable at the controller; the node may drop them from its journal. */
  | { readonly op: 'ack'; readonly seq: number }
  /** Bytes of the attempt's log from `from`; with `follow`, more as it grows until the attempt ends or `stop` names this id. */
  | { readonly op: 'log'; readonly token: Token; readonly from: number; readonly follow: boolean }
  | { readonly op: 'stop'; readonly request: number }
  /** Which of these commits are in the project's mirror. */
  | { readonly op: 'mirror.has'; readonly project: ProjectName; readonly commits: readonly CommitId[] }
  /** Chunks of a git bundle follow under this id; replied to when it is in the mirror. */
  | {
      readonly op: 'mirror.put';
      readonly project: ProjectName;
      readonly commits: readonly CommitId[];
      readonly epoch: number;
    }
  /** Chunks of a bundle with the attempt's result follow; `have` are commits that the controller's hub holds. */
  | { readonly op: 'bundle.get'; readonly token: Token; readonly have: readonly CommitId[] }
  /** Work of attempts that the node still has, forgotten ones in its trash included. */
  | { readonly op: 'works' }
  /** Chunks of a bundle with whatever an attempt left follow: its result, or else its files as they are. */
  | { readonly op: 'work.get'; readonly token: Token; readonly have: readonly CommitId[] }
  /** The controller holds the result for good, or nobody wants it: the attempt's tree may be reclaimed. Logs stay for a time. */
  | { readonly op: 'forget'; readonly token: Token; readonly epoch: number }
  | {
      readonly op: 'probe';
      readonly programs: readonly string[];
      /** Programs of executors to be asked for version and flags. */
      readonly executors?: Readonly<Record<string, ProbeAsk>>;
    }
  /** How the node is doing. Cheap: no program is started for it, so it may be asked once in a while for ever. */
  | { readonly op: 'health' }
  /**
   * Names the tmux command line that attaches to the attempt. With `write` what is typed reaches it; without, nothing
   * does.
   */
  | { readonly op: 'attach'; readonly token: Token; readonly write?: boolean }
  /** Make room: remove what can be made again, and nothing that cannot. */
  | { readonly op: 'sweep'; readonly epoch: number }
  /** Start the supervisor anew; what runs goes on and is adopted. The stream ends after the reply. */
  | { readonly op: 'restart'; readonly epoch: number }
  | { readonly op: 'ping' };

export interface Replies {
  hello: Welcome;
  start: { readonly state: 'started' | 'known' };
  cancel: { readonly state: 'cancelling' | 'ended' | 'unknown' };
  inventory: { readonly entries: readonly InventoryEntry[] };
  subscribe: Record<string, never>;
  ack: Record<string, never>;
  log: { readonly bytes: number };
  stop: Record<string, never>;
  'mirror.has': { readonly has: readonly CommitId[] };
  'mirror.put': Record<string, never>;
  'bundle.get': { readonly head: CommitId };
  works: { readonly works: readonly HeldWork[] };
  'work.get': { readonly head: CommitId };
  forget: { readonly state: 'forgotten' | 'unknown' };
  probe: Probe;
  health: Health;
  attach: {
    readonly argv: readonly string[];
    /** `terminal`: the live session of the running step; `log`: a window that follows what it prints. */
    readonly shows: 'terminal' | 'log';
    /** What it does at this moment; null: none of its commands runs. */
    readonly now: Stall | null;
  };
  /** `freed` and `free` in bytes; `files` that can be made now, null: no fixed number. */
  sweep: {
    readonly removed: readonly string[];
    readonly freed: number;
    readonly free: number;
    readonly files: number | null;
  };
  restart: Record<string, never>;
  ping: Record<string, never>;
}

export interface Welcome {
  readonly protocol: number;
  /** Hash of the supervisor's program. */
  readonly program: string;
  readonly bootId: string;
  /** Random id of this journal; another one means that the node's memory was wiped. */
  readonly journal: string;
  /** Highest entry so far. */
  readonly seq: number;
  /** Lowest entry that no controller has acknowledged; those below are gone. Missing: a node of before did not say. */
  readonly held?: number;
  readonly platform: string;
  /** Highest epoch the node has seen, this controller's included. */
  readonly epoch: number;
}

export interface InventoryEntry {
  readonly token: Token;
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly n: number;
  readonly state: 'running' | 'ended';
  readonly outcome: Outcome | null;
  readonly logBytes: number;
}

/** What an attempt made, or may have made, and the node has. */
export interface HeldWork {
  readonly token: Token;
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly n: number;
  readonly base: CommitId;
  /** `trash`: forgotten before anybody fetched it; it goes a week later. */
  readonly place: 'attempts' | 'trash';
  /** How the attempt ended; null: it runs. */
  readonly ended: Outcome['kind'] | 'cut short' | null;
  /** Its result; null: there are only its files. */
  readonly head: CommitId | null;
}

/** Facts about a node, for `nodes probe` and `doctor`. Versions are null when the program is missing. */
export interface Probe {
  readonly platform: string;
  readonly arch: string;
  readonly hostname: string;
  readonly user: string;
  readonly node: string;
  readonly tmux: string | null;
  readonly git: string | null;
  readonly cores: number;
  readonly load1: number;
  readonly memoryTotal: number;
  readonly memoryFree: number;
  /** Bytes free where the worker lives. */
  readonly diskFree: number;
  readonly diskTotal: number;
  /** Files that can still be made there, of how many; null: no fixed number. Missing: an older program. */
  readonly files?: { readonly free: number; readonly total: number } | null;
  readonly root: string;
  readonly bootId: string;
  /** Node's wall clock, milliseconds. */
  readonly clock: number;
  /** Resolved path of each program asked for, null when not on the PATH. */
  readonly programs: Readonly<Record<string, string | null>>;
  /** By the names that were asked with; missing: none were. */
  readonly executors?: Readonly<Record<string, ProgramReport>>;
  /** Missing: the node runs a program of before there was one. */
  readonly sandbox?: SandboxReport;
}

/** What changes on a node while it works, and the versions of what attempts need. */
export interface Health {
  readonly cores: number;
  readonly load1: number;
  readonly memoryTotal: number;
  /** Bytes that programs can still have. */
  readonly memoryFree: number;
  /** Bytes where the worker lives. */
  readonly diskFree: number;
  readonly diskTotal: number;
  /** Files that can still be made there, of how many; null: the file system has no fixed number. */
  readonly files: { readonly free: number; readonly total: number } | null;
  readonly bootId: string;
  /** Node's wall clock, milliseconds. */
  readonly clock: number;
  /** Attempts that run. */
  readonly attempts: number;
  readonly node: string;
  /** Null: missing. */
  readonly tmux: string | null;
  readonly git: string | null;
  /** With less it takes no attempt; missing: the node runs a program of before it said so. */
  readonly reserve?: { readonly bytes: number; readonly files: number };
  /** Longest time since the last question that its supervisor could not answer anybody, milliseconds. */
  readonly stallMs?: number;
}

/** What verify commands run in on a node. */
export interface SandboxReport {
  /** null: none works there. */
  readonly by: 'bubblewrap' | 'sandbox-exec' | null;
  /** Program and version, or why none works. */
  readonly detail: string;
  /** What mends it; null when it works. */
  readonly fix: string | null;
}

/** Lines of the node's journal. `at` is the node's clock: shown, never compared with another clock. */
export type JournalEntry = { readonly seq: number; readonly at: number } & JournalFact;

export type JournalFact =
  | { readonly type: 'supervisor.started'; readonly program: string; readonly bootId: string }
  | { readonly type: 'attempt.running'; readonly token: Token }
  | { readonly type: 'attempt.step'; readonly token: Token; readonly round: number; readonly step: Step }
  /** What its agent says of the work so far; a later one takes its place. */
  | ({ readonly type: 'attempt.noted'; readonly token: Token } & Notes)
  /** It shows no progress: told again when the cause is another one. */
  | { readonly type: 'attempt.stalled'; readonly token: Token; readonly stall: Stall }
  /** After a stall: its log grows again, or no longer says the same. A new step says so by itself. */
  | { readonly type: 'attempt.moved'; readonly token: Token }
  /** Its provider said no, and its agent still tries. At most once a minute for each kind. */
  | {
      readonly type: 'provider.refused';
      readonly token: Token;
      readonly refusal: ProviderRefusal;
      readonly message: string;
    }
  | { readonly type: 'attempt.ended'; readonly token: Token; readonly outcome: Outcome }
  /** The server that sessions live in is gone, or lives and nobody could reach it; the supervisor mends that. */
  | { readonly type: 'tmux.lost'; readonly what: 'server' | 'socket'; readonly detail: string }
  | { readonly type: 'tmux.mended'; readonly what: 'server' | 'socket'; readonly detail: string }
  /** Processes of an attempt, which has ended, live on `forMs` after SIGKILL. */
  | {
      readonly type: 'stuck.seen';
      readonly token: Token;
      readonly pids: readonly number[];
      readonly forMs: number;
    }
  /** They are gone; `left`: attempts with others that are not. */
  | { readonly type: 'stuck.gone'; readonly token: Token; readonly left: number };

export type Refusal =
  | 'protocol'
  | 'fenced'
  | 'unknown'
  | 'missing-base'
  /** The attempt has been here, has ended, and was told to be forgotten: nobody will hear of it again. */
  | 'forgotten'
  | 'no-space'
  | 'missing-program'
  | 'bad-request'
  | 'internal';

/** Everything the controller writes. */
export type ToNode = { readonly id: number; readonly request: Request };

/** Everything the node writes. */
export type FromNode =
  | { readonly id: number; readonly reply: Replies[keyof Replies] }
  | { readonly id: number; readonly error: { readonly code: Refusal; readonly message: string } }
  | { readonly events: readonly JournalEntry[] };
