/**
 * What the controller asks of a hub and what comes of it. Every effect is idempotent by its token, its commits or its
 * old value, so it may be asked for again after a crash or a lost answer.
 */
import type { Area, AreaFacts } from '../model/area.ts';
import type { Finding } from '../model/attempt.ts';
import type { Conflict } from '../model/conflict.ts';
import type { CommitId, NodeName, ProjectName, TaskId, Token } from '../model/ids.ts';

/** Effects that are performed on a hub. `key` names one of them while it is in flight. */
export type HubEffect =
  /** Set up the hub and fetch the target: integration starts at its tip. */
  | { readonly do: 'base'; readonly key: string; readonly project: ProjectName }
  /** Fetch the branch into the hub as `refs/cand/<token>`, read its facts there and judge it by the gates. */
  | {
      readonly do: 'collect';
      readonly key: string;
      readonly project: ProjectName;
      readonly token: Token;
      readonly node: NodeName;
      readonly head: CommitId;
    }
  /** merge-tree of the candidate onto integration or the stack, and a commit of the result; moves no branch. */
  | {
      readonly do: 'merge';
      readonly key: string;
      readonly project: ProjectName;
      readonly token: Token;
      readonly head: CommitId;
      readonly onto: CommitId;
      /** To be judged by itself, beside the stack. */
      readonly aside: boolean;
      /** Not the branch is merged but the reverse of what it brought in with this commit. */
      readonly undoes?: CommitId;
      /** What else is on its way into integration, newest first: a branch that does not go together with it waits. */
      readonly beside: readonly CommitId[];
      /** By these it is said what the merge changes; missing: there are none. */
      readonly areas?: readonly Area[];
    }
  /** Would these merge, with integration (`tip`) and with the stack up to `top`? No ref moves and nothing is promised. */
  | {
      readonly do: 'predict';
      readonly key: string;
      readonly project: ProjectName;
      readonly tip: CommitId;
      readonly top: CommitId;
      readonly branches: readonly { readonly token: Token; readonly head: CommitId }[];
    }
  /**
   * Compare-and-swap integration from `onto` to a commit with the tree of `commit`, which was gated, as one step that
   * brings in all `tokens`, lowest on the stack first.
   */
  | {
      readonly do: 'land';
      readonly key: string;
      readonly project: ProjectName;
      readonly tokens: readonly Token[];
      /** Those of them that are taken out instead. */
      readonly undoes?: readonly Token[];
      readonly onto: CommitId;
      readonly commit: CommitId;
    }
  /** The base's tree, and the fingerprint of each command's own files there. */
  | {
      readonly do: 'inspect';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly commands: readonly string[];
    }
  /** What the contract is at the base. */
  | {
      readonly do: 'contract';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly path: string;
    }
  /** A copy of the base that is broken on purpose, for the command to go red on. */
  | {
      readonly do: 'break';
      readonly key: string;
      readonly project: ProjectName;
      readonly base: CommitId;
      readonly verify: string;
      /** Paths that stay as they are besides what makes the gate run. */
      readonly keep: readonly string[];
    }
  /** Does the target still have all that it had? `accept`: a person takes it as it is, with this tip. */
  | {
      readonly do: 'look';
      readonly key: string;
      readonly project: ProjectName;
      readonly accept: CommitId | null;
    }
  /** Fetch the target; what would land: integration's tip, or a merge of the moved target with it. */
  | { readonly do: 'prepare-delivery'; readonly key: string; readonly project: ProjectName }
  /** Push `commit` to the target, which must still be at `targetTip`; integration follows from `onto`. */
  | {
      readonly do: 'deliver';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly onto: CommitId;
      readonly targetTip: CommitId | null;
    };

export type HubEffectOf<Do extends HubEffect['do']> = Extract<HubEffect, { do: Do }>;

/** A failed effect: the same one is wanted again after a back-off unless an input says otherwise. */
export interface EffectProblem {
  readonly code: string;
  readonly message: string;
  /** The reason, when the message does not carry it. */
  readonly why?: string;
  /** What to type or edit. */
  readonly fix?: string;
}

/** What a branch would conflict with: `onto` is integration's tip, or what is on its way into it. Null: with nothing. */
export interface Foreseen {
  readonly token: Token;
  readonly clash: { readonly onto: CommitId; readonly conflicts: readonly Conflict[] } | null;
}

/** What came of an effect, with the same key. */
export type HubResult =
  | {
      readonly is: 'based';
      readonly key: string;
      readonly project: ProjectName;
      readonly integration: CommitId;
    }
  | {
      readonly is: 'collected';
      /** The hub could not take it in: its node goes on keeping it. */
      readonly absent?: true;
      readonly key: string;
      readonly token: Token;
      readonly head: CommitId;
      readonly changed: number;
      readonly findings: readonly Finding[];
      /** The first of the changed paths. */
      readonly paths?: readonly string[];
      /** It deletes tests that its spec lists literally. */
      readonly dropsTests?: true;
    }
  /** The node says that it does not have the result (any more): the attempt is lost. */
  | { readonly is: 'collect.gone'; readonly key: string; readonly token: Token }
  | {
      readonly is: 'merge.made';
      readonly key: string;
      readonly token: Token;
      readonly onto: CommitId;
      readonly commit: CommitId;
      readonly tree: string;
      readonly aside: boolean;
      readonly areas?: AreaFacts;
    }
  /** Merges with integration, but not with what is on the stack: its turn comes when that has landed or is gone. */
  | {
      readonly is: 'merge.waits';
      readonly key: string;
      readonly token: Token;
      readonly onto: CommitId;
      readonly conflicts: readonly Conflict[];
    }
  | {
      readonly is: 'merge.conflict';
      readonly key: string;
      readonly token: Token;
      readonly onto: CommitId;
      readonly conflicts: readonly Conflict[];
    }
  | {
      readonly is: 'predicted';
      readonly key: string;
      readonly project: ProjectName;
      readonly tip: CommitId;
      readonly top: CommitId;
      readonly branches: readonly Foreseen[];
    }
  | {
      readonly is: 'landed';
      readonly key: string;
      readonly project: ProjectName;
      readonly tokens: readonly Token[];
      readonly onto: CommitId;
      readonly commit: CommitId;
      /** It had landed before, and was only reported now; integration may have moved on since. */
      readonly before: boolean;
    }
  | { readonly is: 'land.raced'; readonly key: string; readonly project: ProjectName }
  | {
      readonly is: 'inspected';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly tree: string;
      /** By command. */
      readonly files: Readonly<Record<string, string>>;
      /** Paths of all their files. */
      readonly paths: readonly string[];
    }
  /** `hash`: git's id of the content; null: no such file. */
  | {
      readonly is: 'contract.read';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly path: string;
      readonly hash: string | null;
    }
  | {
      readonly is: 'copy.broken';
      readonly key: string;
      readonly project: ProjectName;
      readonly verify: string;
      readonly base: CommitId;
      readonly commit: CommitId;
      readonly tree: string;
      /** How many files are broken. */
      readonly files: number;
    }
  /** What the target has lost since it was seen last, in words too; null: nothing; `unknown`: it cannot be reached. */
  | {
      readonly is: 'looked';
      readonly key: string;
      readonly project: ProjectName;
      readonly lost:
        | { readonly was: CommitId; readonly now: CommitId; readonly reason: string }
        | 'unknown'
        | null;
    }
  | {
      readonly is: 'delivery.made';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly tree: string;
      readonly onto: CommitId;
      readonly targetTip: CommitId | null;
    }
  | {
      readonly is: 'delivered';
      readonly key: string;
      readonly project: ProjectName;
      readonly commit: CommitId;
      readonly tasks: readonly TaskId[];
    }
  | { readonly is: 'deliver.raced'; readonly key: string; readonly project: ProjectName }
  /** Something only a person can mend (conflict with the target, target checked out, no right to push): the collect ends, nothing is lost. */
  | {
      readonly is: 'deliver.refused';
      readonly key: string;
      readonly project: ProjectName;
      readonly problem: EffectProblem;
    }
  | { readonly is: 'effect.failed'; readonly key: string; readonly problem: EffectProblem };
