import type { TestCounts } from '../../model/attempt.ts';

/** JUnit's XML on the output: its cases are counted, since the sums in the heads are optional and often nested. */
export function countJunit(text: string): TestCounts | null {
  if (!/<testsuites?[\s>]/.test(text)) return null;
  const total = [...text.matchAll(/<testcase[\s>/]/g)].length;
  // One case may be said to be skipped once; `disabled` ones have no element.
  const skipped = [...text.matchAll(/<skipped[\s>/]/g)].length;
  return { ran: Math.max(0, total - skipped), skipped };
}
