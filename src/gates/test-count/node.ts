import type { TestCounts } from '../../model/attempt.ts';
import { overMatches } from './tally.ts';

/** The summary of `node --test`: `ℹ tests 3` … under its spec reporter, `# tests 3` … under TAP. */
export function countNode(text: string): TestCounts | null {
  return overMatches(text, SUMMARY, ([, total, skipped, todo]) => {
    const idle = Number(skipped) + Number(todo);
    return { ran: Math.max(0, Number(total) - idle), skipped: idle };
  });
}

const SUMMARY =
  /^[ℹ#] tests (\d+)\n(?:[ℹ#] suites \d+\n)?[ℹ#] pass \d+\n[ℹ#] fail \d+\n(?:[ℹ#] cancelled \d+\n)?[ℹ#] skipped (\d+)\n[ℹ#] todo (\d+)$/gm;
