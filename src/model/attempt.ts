import type { Amount } from './budget.ts';
import type { CageLimit } from './cage.ts';
import type { Clash } from './conflict.ts';
import type { Basis } from './evidence.ts';
import type { CommitId, NodeName, TaskKey, Token } from './ids.ts';
import type { Stall } from './stall.ts';

/** Which check found something. */
export type GateName = 'scope' | 'placeholder' | 'content' | 'verify' | 'tests' | 'commit';

/** One thing a gate found: where, what, and what to do about it. */
export interface Finding {
  readonly gate: GateName;
  readonly path: string | null;
  /** 1-based line in the new version of the file. */
  readonly line: number | null;
  readonly message: string;
  readonly fix: string | null;
  /** Not wrong in itself: a person has to approve it. Such findings alone do not send a branch back. */
  readonly approval?: true;
}

/** Tokens and money an executor reported; a missing figure is unknown, never zero. */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedTokens: number | null;
  readonly costUsd: number | null;
}

/** What a verify command's test runners reported. */
export interface TestCounts {
  /** Passed or failed. */
  readonly ran: number;
  /** Skipped, still to be written, expected to fail, or left out by a filter. */
  readonly skipped: number;
}

/**
 * What a model provider has against a key. `rate`: too many calls at once or in a span; `overload`: the provider's own
 * trouble; `quota`: used up for now; `account`: no money or plan; `login`: the key is not taken. The first three pass.
 */
export type RefusalKind = 'rate' | 'overload' | 'quota' | 'account' | 'login';

/** A provider's last word on an attempt was no. */
export interface ProviderRefusal {
  readonly kind: RefusalKind;
  /** How long it asks to be left alone, milliseconds; null: it does not say. */
  readonly retryAfterMs: number | null;
}

/** What an agent says of its own work; no gate looks at it. Cleaned and bounded before it is kept. */
export interface Notes {
  /** Written before it began. */
  readonly plan: string | null;
  /** The acceptance list with evidence, and an assessment. */
  readonly evidence: string | null;
}

/** How an attempt ended, as its node recorded it. Gate attempts use done (green), refused (red) and failed (broken gate: nobody's fault). */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly head: CommitId | null;
      readonly rounds: number;
      readonly usage: Usage | null;
      /** Of the verify command; missing when no known runner reported. */
      readonly tests?: TestCounts;
    }
  | {
      readonly kind: 'refused';
      readonly findings: readonly Finding[];
      /** Shortened output of the gate that refused. */
      readonly output: string;
      readonly head: CommitId | null;
      readonly rounds: number;
      readonly usage: Usage | null;
    }
  | {
      readonly kind: 'failed';
      /** `prepare`: no tree; `executor`: the program could not run or broke; `empty`: it changed nothing; `gate`: the gate itself broke. */
      readonly cause: 'prepare' | 'executor' | 'empty' | 'gate';
      readonly message: string;
      /** The node could not do its part, whatever the work is; missing: that is not known. */
      readonly blame?: 'node';
      /** The provider refused the key it ran with; missing: nothing is said of the key. */
      readonly refusal?: ProviderRefusal;
      /** The bound of its cage that it met; missing: none that is known. */
      readonly limit?: CageLimit;
      /** What it committed and took back again, so that nothing was changed; missing: nothing. */
      readonly head?: CommitId;
      readonly exitCode: number | null;
      readonly rounds: number;
      readonly usage: Usage | null;
    }
  | {
      readonly kind: 'timeout';
      readonly rounds: number;
      readonly head: CommitId | null;
      /** Missing: not known. */
      readonly usage?: Usage | null;
    }
  /** Its agent reported more tokens than the attempt may use: it was ended, or not asked for another round. */
  | {
      readonly kind: 'overspent';
      readonly limitTokens: number;
      readonly rounds: number;
      readonly head: CommitId | null;
      readonly usage: Usage | null;
    }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'lost'; readonly why: Loss };

/** `no-space`: the disk of its node was full while it worked, so that what it came to says nothing of the work. */
export type Loss = 'rebooted' | 'killed' | 'wiped' | 'no-space';

/** What a gate attempt checks. */
export type GateSubject = Basis & { readonly commit: CommitId; readonly tree: string } & (
    | { readonly of: 'merge'; readonly workToken: Token }
    | { readonly of: 'delivery' }
    | ({ readonly of: 'control' } & ControlSubject)
  );

/** A command is tried: first on the base, then, when it was green there, on a copy of it that is broken on purpose. */
export interface ControlSubject {
  readonly part: 'base' | 'broken';
  /** Fingerprint of the gate's own files on the base. */
  readonly files: string;
  /** Tree of the base, whichever of the two is judged. */
  readonly base: string;
  /** How many files are broken in the copy. */
  readonly broken: number;
}

export type AttemptKind =
  | { readonly kind: 'work' }
  | { readonly kind: 'gate'; readonly subject: GateSubject };

/** Where an attempt is. `fenced`: given up without the node's word; whatever it still reports is recorded and never merged. */
export type AttemptPhase =
  | { readonly is: 'claimed' }
  | {
      readonly is: 'running';
      readonly since: number;
      readonly round: number;
      readonly step: Step;
      /** Since when it shows no progress (wall clock of the first word on it) and why; missing: it does, or nobody knows. */
      readonly stall?: Stall & { readonly since: number };
    }
  | {
      readonly is: 'ended';
      readonly at: number;
      readonly outcome: Outcome;
      /** What the branch changes, once it is in the hub; `tests`: a file of tests is among it, null when not known. */
      readonly branch?: { readonly changed: number; readonly tests: boolean | null };
      /** The branch deletes tests that its spec lists literally: there may be fewer once it has merged. */
      readonly dropsTests?: true;
      readonly kept?: CommitId;
    }
  | {
      readonly is: 'fenced';
      readonly at: number;
      readonly reason: string;
      /** What its node said afterwards. */
      readonly late?: { readonly at: number; readonly what: string };
      /** Its branch, in the hub; it is never merged. */
      readonly kept?: CommitId;
    };

export type Step = 'prepare' | 'agent' | 'gates' | 'verify';

export interface Attempt {
  readonly token: Token;
  readonly task: TaskKey;
  /** Grows by one with every work attempt of a task, never repeats. Gate attempts carry the n of the work they judge; 0 for a delivery. */
  readonly n: number;
  readonly work: AttemptKind;
  readonly node: NodeName;
  /** The key it was given; missing: it needs none. */
  readonly credential?: string;
  /** Which executor runs it, where that is not the one of its spec. */
  readonly executor?: string;
  /** Git's id of the shared contract that it was told to keep to; missing: there was none. */
  readonly contract?: string;
  /** What it counts for in budgets until its use is known; missing: none bounded it. */
  readonly reserved?: Amount;
  readonly epoch: number;
  /** Commit the tree starts from; null without a repository. */
  readonly base: CommitId | null;
  /** Wall clock, milliseconds. */
  readonly claimedAt: number;
  phase: AttemptPhase;
  /** Wall clock of the node's first word, kept after the end. */
  startedAt: number | null;
}

/** What goes back to an agent that has to do its work again on a new base. */
export type Feedback =
  /** A person took the work over and handed it back: `previous` is theirs, and all that the attempt has to do is take it in. */
  | { readonly why: 'handed'; readonly by: string; readonly previous: CommitId }
  /** A person rejected it. */
  | {
      readonly why: 'rejected';
      readonly by: string;
      readonly reason: string;
      readonly previous: CommitId;
    }
  | { readonly why: 'reverted'; readonly reason: string; readonly previous: CommitId }
  | { readonly why: 'conflict'; readonly clash: Clash; readonly previous: CommitId }
  /** The contract at `path` changed when it was done. */
  | { readonly why: 'contract'; readonly path: string; readonly previous: CommitId }
  | {
      readonly why: 'gate';
      readonly findings: readonly Finding[];
      readonly output: string;
      readonly previous: CommitId;
    };
