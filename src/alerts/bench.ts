/** What each rule is given, and how figures are held against bounds. */
import type { AlertLevel, Cause } from '../model/alert.ts';
import type { ErrorCode } from '../model/codes/index.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { AlertRules, RuleName } from '../spec/alert-settings.ts';
import type { Figures } from './figures.ts';

/** A figure has to come back by a tenth before what it showed is over. */
export const MARGIN = 0.1;

export interface Bench {
  readonly snapshot: Snapshot;
  readonly figures: Figures;
  readonly rules: AlertRules;
  readonly now: number;
  readonly found: (cause: Cause) => void;
  readonly undecided: (key: string) => void;
}

export function bound({ found, undecided }: Bench, figure: number, most: number, cause: Cause): void {
  if (figure > most) found(cause);
  else if (figure > most * (1 - MARGIN)) undecided(cause.key);
}

export function ofHome(
  rule: RuleName | 'invariants' | 'aside',
  level: AlertLevel,
  code: ErrorCode,
  message: string,
): Pick<Cause, 'rule' | 'level' | 'code' | 'about' | 'message'> {
  return { rule, level, code, about: 'here', message };
}

export function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
