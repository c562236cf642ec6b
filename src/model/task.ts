import type { AreaFacts } from './area.ts';
import type { Feedback, Finding, TestCounts } from './attempt.ts';
import type { Clash } from './conflict.ts';
import type { Basis } from './evidence.ts';
import type { GateRecord } from './gate-record.ts';
import type { CommitId, ProjectName, TaskKey, Token } from './ids.ts';
import type { RecordedLook } from './second-look.ts';
import type { ProjectConfig, TaskSpec } from './spec.ts';

/** How far a task has come. Facts only; the word a person sees is derived by `statusOf`. */
export type Progress =
  /** No attempt alive; may start when dependencies, locks and back-off allow. */
  | { readonly at: 'open' }
  /** A work attempt is claimed or running. */
  | { readonly at: 'attempt'; readonly token: Token }
  /** The node says done; the branch is still only on the node. */
  | { readonly at: 'finished'; readonly token: Token; readonly head: CommitId; readonly since: number }
  /** In the hub and judged good; waits for a person's approval. */
  | {
      readonly at: 'review';
      readonly token: Token;
      readonly head: CommitId;
      readonly since: number;
      /** What the gates want a person to look at; missing when only the review policy asks. */
      readonly approvals?: readonly Finding[];
      readonly predicted?: Prediction;
    }
  /** In the hub and judged good; waits for its turn in the merge queue. `cleared`: a gate found it good alone. */
  | {
      readonly at: 'queued';
      readonly token: Token;
      readonly head: CommitId;
      readonly cleared: boolean;
      readonly since: number;
      readonly undo?: Undo;
      readonly predicted?: Prediction;
    }
  /** Merged tentatively onto `onto`: integration, or the commit of the branch below it on the stack. */
  | Gating
  /** A gate was green on `commit`, the top of the part of the stack that is being landed on integration (`onto`) at once. */
  | {
      readonly at: 'landing';
      readonly token: Token;
      readonly head: CommitId;
      readonly onto: CommitId;
      readonly commit: CommitId;
      readonly tree: string;
      /** On the stack, from 0 for the lowest. */
      readonly place: number;
      readonly cleared: boolean;
      readonly undo?: Undo;
    }
  /** Waits for a person: conflicted or was refused by the merge gate three times. */
  | { readonly at: 'parked'; readonly reason: string; readonly token: Token; readonly since: number }
  | {
      readonly at: 'merged';
      readonly token: Token;
      readonly commit: CommitId | null;
      readonly when: number;
      /** What a second model found in it; missing: none has looked. */
      readonly look?: RecordedLook;
    }
  /** What had merged was taken out of integration again, by `commit`. */
  | {
      readonly at: 'reverted';
      readonly token: Token;
      readonly commit: CommitId;
      readonly by: string;
      readonly reason: string;
      readonly when: number;
    }
  | {
      readonly at: 'failed';
      readonly reason: string;
      readonly findings: readonly Finding[];
      readonly when: number;
    }
  | { readonly at: 'cancelled'; readonly reason: string; readonly when: number };

/** A conflict to come: what stands at `onto` is on its way into integration, and the branch does not fit on it. */
export interface Prediction {
  readonly onto: CommitId;
  readonly clash: Clash;
}

export interface Gating {
  readonly at: 'gating';
  readonly token: Token;
  readonly head: CommitId;
  readonly onto: CommitId;
  readonly commit: CommitId;
  readonly tree: string;
  /** What it changes, by area; missing where the project has none. */
  readonly areas?: AreaFacts;
  /** At work on the tree; null: not started, or to be started again, or what lies above it is gated instead. */
  readonly gate: Token | null;
  readonly cleared: boolean;
  /** Judged by itself and not part of the stack. `backers`: those with which it stood in a larger set that was red too. */
  readonly aside: { readonly backers: readonly Token[] } | null;
  /** Red runs of one command on its tree, and what the last one said. */
  readonly red:
    | (Basis & {
        readonly runs: number;
        readonly findings: readonly Finding[];
        readonly output: string;
        /** Tests that failed in any of them, as far as the runner named them. */
        readonly failed: readonly string[];
      })
    | null;
  readonly since: number;
  readonly undo?: Undo;
}

/**
 * What goes through the queue is the reverse of the task's work, which has merged. It goes the same way as a branch; when
 * it is refused, the task is merged as before.
 */
export interface Undo {
  readonly by: string;
  readonly reason: string;
  /** What brought the work in, and when. */
  readonly commit: CommitId;
  readonly when: number;
  readonly look?: RecordedLook;
  /** A person rejected the work: the task begins again once it is out. */
  readonly again?: true;
}

export interface Task {
  readonly key: TaskKey;
  spec: TaskSpec;
  /** Order of arrival, from 1; ties break by it. */
  readonly order: number;
  readonly addedAt: number;
  /** Highest attempt number given out so far. */
  n: number;
  progress: Progress;
  /** Times it went back to an agent because it conflicted or the merge gate refused it. */
  returns: number;
  /** Attempts that failed on their own account. */
  failures: number;
  /** Attempts lost with their node; counted apart, since nobody's work is to blame. */
  losses: number;
  /** Wall clock before which no new attempt may start. */
  notBefore: number;
  /** Wall clock at which a person asked that it merge before the others; null otherwise. */
  front: number | null;
  /** Wall clock since when all dependencies are merged; null until then. */
  readySince: number | null;
  /** Dependencies that have not merged yet. */
  unmet: number;
  /** Holds the lock on its `modifies`: from the first claim until merged, failed or cancelled. */
  locked: boolean;
  /** For the next attempt. */
  feedback: Feedback | null;
}

export type Delivery =
  | { readonly at: 'draining' }
  | { readonly at: 'preparing' }
  | {
      readonly at: 'gating';
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId | null;
      readonly gate: Token | null;
    }
  | {
      readonly at: 'pushing';
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId | null;
    };

/** What a verify command counted on the tree that landed last. */
export interface TestBaseline extends TestCounts {
  readonly verify: string;
}

export interface Hold {
  readonly reason: string;
  /** A person's name, or `dispatch`. */
  readonly by: string;
  readonly since: number;
  /** The target does not contain any more what it had; missing: it stands still for something else. */
  readonly lost?: { readonly was: CommitId; readonly now: CommitId };
}

export interface Project {
  readonly name: ProjectName;
  config: ProjectConfig;
  /** A person has asked for its specs to be run; `dispatch serve` goes on with it. */
  started: boolean;
  /** Why the person who started it wants no gate tried on a broken copy; null: gates are tried, unless its settings say otherwise. */
  skipControl: string | null;
  /** Tip of integration in the hub; null before the hub is set up, and always null without a repository. */
  integration: CommitId | null;
  /** What gates found green, as `evidenceKey` writes it; newest last, bounded: a tree is gated once. */
  readonly green: string[];
  /** How many tests integration's tip runs, for each verify command that was counted; newest last, bounded. */
  tests: readonly TestBaseline[];
  /** What each verify command has shown at gates; the one that ran last stands last, bounded. */
  gates: readonly GateRecord[];
  /** A `collect` in progress. */
  delivery: Delivery | null;
  /** What the tasks agree on; null before it was looked for. */
  contract: Contract | null;
  /** The last gates could not judge, and none has judged since: nothing merges meanwhile. */
  broken: BrokenGate | null;
  /** What was found when gates were tried on a copy that is broken on purpose; newest last, bounded. */
  controls: readonly Control[];
  /** The merge queue stands still until a person lets it go on. */
  hold: Hold | null;
  /** What the last `collect` landed. */
  delivered: { readonly commit: CommitId; readonly when: number } | null;
}

export interface Contract {
  /** In the repository. */
  readonly path: string;
  /** Git's id of the content that work has to keep to; null: there is no such file. */
  readonly accepted: string | null;
  /** What the base has instead, since when, and the commit in which that was seen. No work starts before a person accepts it. */
  readonly changed: {
    readonly hash: string | null;
    readonly commit: CommitId;
    readonly since: number;
  } | null;
}

export interface BrokenGate {
  readonly reason: string;
  /** Gates in a row. */
  readonly times: number;
  readonly since: number;
}

/**
 * What a try of a verify command on a broken copy showed. `proved`: it goes red. `red`: it is red on the base already, so
 * nothing could be shown. `nothing`: there is nothing to break. `blind`: it stays green, so it proves nothing. `skipped`:
 * a person wants no try.
 */
export type ControlVerdict = 'proved' | 'red' | 'nothing' | 'blind' | 'skipped';

export interface Control extends Basis {
  /** Fingerprint of the gate's own files; empty where it was not looked at. */
  readonly files: string;
  /** The base's tree; empty where it was not looked at. */
  readonly tree: string;
  readonly verdict: ControlVerdict;
  /** What is worth knowing besides: files that were broken, what was red, who skipped it and why. */
  readonly note: string;
  readonly at: number;
  readonly epoch: number;
}

/** The merged tree, or what the area sees of it. @throws when the merge did not change that. */
export function judged(
  { commit, tree, areas }: Gating,
  area: string | null,
): { commit: CommitId; tree: string } {
  if (area === null) return { commit, tree };
  const projection = areas?.touched.find((one) => one.area === area);
  if (projection === undefined) throw new Error(`the merge of ${commit} left ${area} as it was`);
  return { commit: projection.commit, tree: projection.tree };
}

/** What a gate may be asked to judge of a merge: the merged tree, and the projections that it changes. */
export function judgedBy({ commit, tree, areas }: Gating): readonly { commit: CommitId; tree: string }[] {
  return [{ commit, tree }, ...(areas?.touched ?? [])];
}

/** True when nothing will happen to the task any more unless a person acts. */
export function isFinal(progress: Progress): boolean {
  switch (progress.at) {
    case 'merged':
    case 'reverted':
    case 'failed':
    case 'cancelled':
      return true;
    default:
      return false;
  }
}

/** The revert of the task's work that is under way; undefined when there is none. */
export function undoOf(progress: Progress): Undo | undefined {
  return 'undo' in progress ? progress.undo : undefined;
}
