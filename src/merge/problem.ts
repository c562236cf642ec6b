import type { EffectProblem } from './door.ts';
import { DispatchError } from '../model/error.ts';
import { GitError } from '../git/run.ts';
import { systemError } from '../model/system-error.ts';

/** An error as a result: what happened, why, and what to type next. */
export function problemOf(thrown: unknown): EffectProblem {
  if (thrown instanceof GitError) return { code: 'E_GIT_FAILED', message: thrown.message };
  const error = systemError(thrown) ?? thrown;
  if (!(error instanceof DispatchError)) {
    return { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, why, fix } = error;
  return { code, message, ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }) };
}

/** Codes that no second try mends: a person has to do something first. */
const FOR_A_PERSON: ReadonlySet<string> = new Set([
  'E_GIT_MISSING',
  'E_GIT_TOO_OLD',
  'E_REPO_MISSING',
  'E_REPO_EMPTY',
  'E_REPO_AUTH',
  'E_REPO_SHALLOW',
  'E_TARGET_MISSING',
  'E_TARGET_CHECKED_OUT',
  'E_TARGET_REWOUND',
  'E_TARGET_CONFLICT',
  'E_PUSH_REFUSED',
  'E_HUB_BROKEN',
  'E_MERGE_UNSOUND',
]);

export function needsPerson(error: unknown): boolean {
  return error instanceof DispatchError && FOR_A_PERSON.has(error.code);
}
