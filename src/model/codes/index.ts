import type { CodeEntry } from '../exit.ts';
import { ALERT_CODES } from './alert.ts';
import { BUDGET_CODES } from './budget.ts';
import { CLI_CODES } from './cli.ts';
import { CONTROLLER_CODES } from './controller.ts';
import { GATE_CODES } from './gate.ts';
import { GIT_CODES } from './git.ts';
import { LINT_CODES } from './lint.ts';
import { MODEL_CODES } from './models.ts';
import { NODE_CODES } from './node.ts';
import { SPEC_CODES } from './spec.ts';
import { STORE_CODES } from './store.ts';

/** Every stable error code, one file per room. Codes are never renamed or given another meaning. */
export const CODES = {
  ...BUDGET_CODES,
  ...CLI_CODES,
  ...CONTROLLER_CODES,
  ...SPEC_CODES,
  ...STORE_CODES,
  ...NODE_CODES,
  ...GIT_CODES,
  ...GATE_CODES,
  ...MODEL_CODES,
  ...LINT_CODES,
  ...ALERT_CODES,
} as const;

export type ErrorCode = keyof typeof CODES;

/** The entry of a code, or undefined for a code that this version does not know. */
export function codeEntry(code: string): CodeEntry | undefined {
  return (CODES as Record<string, CodeEntry>)[code];
}
