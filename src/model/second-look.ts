/**
 * What a second model found in work that has merged. It only ever adds: a look that finds nothing lets nothing through
 * that would have waited otherwise, so a model that a diff has talked round can at worst say too little.
 */
import type { CommitId } from './ids.ts';

/** The gravest first. */
export const SEVERITIES = ['critical', 'major', 'minor', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface LookFinding {
  readonly path: string;
  /** 1-based, in the new version of the file, or for `old` in the one before. */
  readonly line: number;
  readonly side: 'new' | 'old';
  readonly severity: Severity;
  /** 0 to 1, as the model says; 1 for what a rule of ours found. */
  readonly confidence: number;
  /** One line, cleaned and bounded. */
  readonly message: string;
  readonly by: 'model' | 'rule';
}

export interface SecondLook {
  /** `provider/model`. */
  readonly by: string;
  /** The merge that was looked at. */
  readonly commit: CommitId;
  /** The gravest first. */
  readonly findings: readonly LookFinding[];
  /** Changed files that the model was not shown, each with the reason. */
  readonly unseen: readonly { readonly path: string; readonly why: string }[];
  /** Why no verdict of the model could be used; null: there is one. */
  readonly refused: string | null;
  /** A person has to look. */
  readonly asks: boolean;
}

/** A look with when it was recorded, and what a person made of it. */
export interface RecordedLook extends SecondLook {
  /** Wall clock, milliseconds. */
  readonly when: number;
  /** Missing: nobody has decided, or nobody needs to. */
  readonly settled?: {
    readonly approved: boolean;
    readonly by: string;
    readonly reason: string;
    readonly when: number;
  };
}

/** Which merged work a second model looks at, and what of its findings a person is asked about. */
export interface LookRules {
  /** `serve` looks at what merges by itself. */
  readonly serve: boolean;
  /** Share of P1 tasks, 0 to 1; P0 tasks are always looked at. */
  readonly p1: number;
  /** Share of all other tasks, 0 to 1. */
  readonly others: number;
  /** The least severity that a person is asked about. */
  readonly asks: Severity;
  /** The least confidence, 0 to 1. */
  readonly confidence: number;
  /** Findings that a person is asked about become a pending spec as well. */
  readonly followUp: boolean;
  /** Chooses the sample: another seed, another sample. */
  readonly seed: string;
}

export const DEFAULT_LOOK: LookRules = {
  serve: false,
  p1: 0.5,
  others: 0.1,
  asks: 'major',
  confidence: 0.6,
  followUp: false,
  seed: '',
};

/** A finding that a person is asked about. */
export function isGrave({ severity, confidence }: LookFinding, rules: LookRules): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(rules.asks) && confidence >= rules.confidence;
}

/** A person is asked about it and has not decided. */
export function isLookOpen({ look }: { readonly look?: RecordedLook }): boolean {
  return look !== undefined && look.asks && look.settled === undefined;
}

/** `src/a.ts:12`, or `src/a.ts:-12` for a line that was taken away. */
export function placeOf({ path, line, side }: LookFinding): string {
  return `${path}:${side === 'old' ? '-' : ''}${line}`;
}
