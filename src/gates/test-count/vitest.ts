import type { TestCounts } from '../../model/attempt.ts';
import { overMatches, tally } from './tally.ts';

/** `      Tests  1 failed | 3 passed | 1 skipped (5)`; `no tests`, or a run that found no file, is zero. */
export function countVitest(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, list = '']) =>
    tally(list, ['passed', 'failed'], ['skipped', 'todo']),
  );
}

const SUMMARY =
  /^(?:[ \t]+Tests {2}(no tests|\d+ (?:passed|failed|skipped|todo)[^\n]*\(\d+\))[ \t]*|No test files found, exiting with code \d.*)$/gm;
