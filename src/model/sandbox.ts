/** What a project says about the sandbox that its verify commands run in on a node. */
export interface SandboxRules {
  /** Verify commands run as the node's user with no sandbox, on every node alike. */
  readonly trusted: boolean;
  /** Verify commands reach the network; without it they have a loopback of their own. */
  readonly network: boolean;
  /** Absolute paths, or `~/` for the home of the node's user, that are shown read-only besides the system. */
  readonly readOnly: readonly string[];
  readonly limits: SandboxLimits;
  readonly prepare: Preparation | null;
}

export interface SandboxLimits {
  /** Bytes of memory of all processes together. null: the default, and only where it can be held to without breaking programs. */
  readonly memory: number | null;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Bytes of any one file that is written. */
  readonly fileSize: number;
}

/** What must be installed before a verify command can run, made once for each content of its key on a node. */
export interface Preparation {
  /** Shell command; it has the network, and sees the files of the key and nothing else of the repository. */
  readonly command: string;
  /** Files of the repository whose content decides what the command makes. */
  readonly keyedBy: readonly string[];
  /** Directories that the command makes, kept and shown read-only at the same place in every checkout. */
  readonly paths: readonly string[];
}

/** Threads of a test runner with a worker per core stay far below it; a fork bomb reaches it in milliseconds. */
const PROCESSES = 1024;
/** Larger than artefacts of tests are, small enough to leave room on a node's disk. */
const FILE_SIZE = 4 * 1024 ** 3;

export const DEFAULT_SANDBOX: SandboxRules = {
  trusted: false,
  network: false,
  readOnly: [],
  limits: { memory: null, processes: PROCESSES, fileSize: FILE_SIZE },
  prepare: null,
};
