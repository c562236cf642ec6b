import type { TestCounts } from '../../model/attempt.ts';
import { overMatches, tally } from './tally.ts';

/** `Tests:       1 failed, 1 skipped, 2 passed, 4 total`; `No tests found` is zero. */
export function countJest(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, list = '']) =>
    tally(list, ['passed', 'failed'], ['skipped', 'todo', 'pending']),
  );
}

const SUMMARY = /^(?:Tests:[ \t]+(\d[^\n]* total)|No tests found, exiting with code \d.*)[ \t]*$/gm;
