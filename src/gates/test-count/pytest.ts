import type { TestCounts } from '../../model/attempt.ts';
import { overMatches, tally } from './tally.ts';

/** `=== 1 failed, 3 passed, 2 skipped in 0.12s ===`, the same without its frame under `-q`, `no tests ran in 0.01s`. */
export function countPytest(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, list = '']) => tally(list, RAN, SKIPPED));
}

const SUMMARY =
  /^(?:=+ )?((?:\d+ [a-z]+(?: passed)?, )*\d+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?)|no tests ran) in [\d.]+s\b/gm;
const RAN = ['passed', 'failed', 'error', 'errors', 'xpassed'];
/** An expected failure proves nothing, and what was left out by a filter did not run. */
const SKIPPED = ['skipped', 'xfailed', 'deselected'];
