import type { CageRules } from '../model/cage.ts';
import type { CommitId, ProjectName, TaskId, Token } from '../model/ids.ts';
import type { ExecutorDef } from '../model/executor.ts';
import type { GateSettings, PlaceholderAllow } from '../model/spec.ts';
import type { SandboxRules } from '../model/sandbox.ts';

/** Everything a node needs to run one attempt. Written once as `attempt.json`; the node asks nothing back. */
export interface AttemptOrder {
  readonly protocol: number;
  readonly token: Token;
  readonly project: ProjectName;
  readonly task: TaskId;
  readonly n: number;
  /** Epoch of the controller that gave the order. A node refuses orders of an epoch lower than the highest it has seen. */
  readonly epoch: number;
  /** Span from the start to the deadline, milliseconds of the node's monotonic time. */
  readonly timeoutMs: number;
  /** Bytes of the log kept: the first half and the last half. */
  readonly logCapBytes: number;
  /** Silence after which the node tells why the attempt shows no progress, milliseconds; missing: it tells nothing. */
  readonly stallMs?: number;
  readonly work: WorkOrder | GateOrder;
}

export interface WorkOrder {
  readonly kind: 'work';
  /** null: the project has no repository; the command runs in an empty directory. */
  readonly tree: TreeOrder | null;
  readonly spec: string;
  readonly prompt: string;
  readonly executor: ExecutorDef;
  /** Shell command on a clean checkout of the result; null: the executor's exit record decides. */
  readonly verify: string | null;
  readonly verifyTimeoutMs: number;
  /** Least number of tests that `verify` must run; 0: any. */
  readonly minTests: number;
  /** What `verify` may see and use. */
  readonly sandbox: SandboxRules;
  /** What the agent may see and use; missing: `DEFAULT_CAGE`. */
  readonly cage?: CageRules;
  /** Feedback rounds after the first. */
  readonly retries: number;
  /** Why this is not the first attempt: text for the agent (conflict, gate output of the merge), or null. */
  readonly feedback: string | null;
}

export interface TreeOrder {
  /** The tree starts from here. The controller has put it into the node's mirror before it sends the order. */
  readonly base: CommitId;
  /** Commit of the attempt before, available in the tree's repository as `refs/dispatch/previous`; null: none. */
  readonly previous: CommitId | null;
  readonly modifies: readonly string[];
  readonly expands: readonly string[];
  readonly allowedExtras: readonly string[];
  readonly protectedPaths: readonly string[];
  readonly placeholderAllow: readonly PlaceholderAllow[];
  readonly gates: GateSettings;
}

export interface GateOrder {
  readonly kind: 'gate';
  /** Checked out clean, without any `.git`, into a directory of its own. */
  readonly commit: CommitId;
  readonly verify: string;
  /** Least number of tests that it must run; 0: any. */
  readonly minTests: number;
  readonly sandbox: SandboxRules;
}
