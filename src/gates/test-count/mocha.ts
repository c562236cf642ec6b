import type { TestCounts } from '../../model/attempt.ts';
import { overMatches } from './tally.ts';

/** `  3 passing (5ms)`, then `  1 pending` and `  1 failing` where there are any. */
export function countMocha(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, passing, pending, failing]) => ({
    ran: Number(passing) + Number(failing ?? 0),
    skipped: Number(pending ?? 0),
  }));
}

const SUMMARY =
  /^[ \t]+(\d+) passing \([\d.]+(?:ms|s|m)\)$(?:\n[ \t]+(\d+) pending$)?(?:\n[ \t]+(\d+) failing$)?/gm;
