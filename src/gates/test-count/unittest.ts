import type { TestCounts } from '../../model/attempt.ts';
import { overMatches } from './tally.ts';

/** `Ran 3 tests in 0.001s`, then `OK (skipped=1, expected failures=1)` or `FAILED (failures=1, skipped=1)`. */
export function countUnittest(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, total, list = '']) => {
    const idle = [...list.matchAll(/(?:skipped|expected failures)=(\d+)/g)];
    const skipped = idle.reduce((sum, [, count]) => sum + Number(count), 0);
    return { ran: Math.max(0, Number(total) - skipped), skipped };
  });
}

const SUMMARY = /^Ran (\d+) tests? in [\d.]+s\s+(?:OK|FAILED|NO TESTS RAN)(?: \(([^)\n]*)\))?$/gm;
