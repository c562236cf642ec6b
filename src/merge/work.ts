import type { GateRules } from '../gates/judge.ts';
import type { Hub } from '../git/hub.ts';
import type { CommitId, TaskId, Token } from '../model/ids.ts';

/** What merging needs to know of the attempt that made a branch. */
export interface WorkFacts {
  readonly task: TaskId;
  /** For the subject of the merge commit. */
  readonly title: string;
  /** What its tree started from. */
  readonly base: CommitId;
  readonly rules: GateRules;
  /** The command that proves the task, and those of areas; their own files are the gate's. */
  readonly commands: readonly (string | null)[];
}

/** What an effect is performed with. */
export interface HubWork {
  readonly hub: Hub;
  /** @throws when no such work attempt, with a base, is known. */
  readonly attempt: (token: Token) => WorkFacts;
  /** A path for a bundle on its way, on any file system; removed afterwards. */
  readonly bundleFile: () => string;
  /**
   * Fetches an attempt's result from its node into `file`, without what the commits of `have` contain.
   * @returns false when the node says that it does not have the result (any more).
   * @throws when the node cannot be asked now.
   */
  readonly getBundle: (token: Token, have: readonly CommitId[], file: string) => Promise<boolean>;
}
