import type { TestCounts } from '../../model/attempt.ts';
import { overMatches } from './tally.ts';

/** One `test result:` line for each binary and for the documentation; or the summary of cargo-nextest. */
export function countCargo(text: string): TestCounts | null {
  const plain = overMatches(text, RESULT, ([, passed, failed, ignored, filtered]) => ({
    ran: Number(passed) + Number(failed),
    skipped: Number(ignored) + Number(filtered ?? 0),
  }));
  if (plain !== null) return plain;
  return overMatches(text, NEXTEST, ([, ran, skipped]) => ({
    ran: Number(ran),
    skipped: Number(skipped ?? 0),
  }));
}

const RESULT =
  /^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored; \d+ measured(?:; (\d+) filtered out)?/gm;
const NEXTEST = /^\s*Summary \[[^\]]*\] (\d+) tests? run:[^\n]*?(?:(\d+) skipped)?$/gm;
