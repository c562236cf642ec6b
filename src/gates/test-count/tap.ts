import type { TestCounts } from '../../model/attempt.ts';
import { overMatches } from './tally.ts';

/**
 * The Test Anything Protocol (https://testanything.org): the plan `1..n` says how many there are, the lines which of
 * them were skipped. Of an output with a hole in it only the plan is trusted. Points of subtests are indented and are
 * part of the one they belong to.
 */
export function countTap(text: string, whole: boolean): TestCounts | null {
  const plan = overMatches(text, PLAN, ([, total]) => ({ ran: Number(total), skipped: 0 }));
  if (plan === null) return null;
  // A plan alone may be anything that counts; a protocol has points, or says that it has none.
  const points = [...text.matchAll(POINT)];
  if (points.length === 0 && (plan.ran > 0 || !/^1\.\.0\b/m.test(text))) return null;
  const skipped = points.filter(([, directive]) => directive !== undefined).length;
  const total = whole ? points.length : plan.ran;
  return { ran: Math.max(0, total - skipped), skipped };
}

const PLAN = /^1\.\.(\d+)(?:[ \t]*#.*)?$/gm;
const POINT = /^(?:not )?ok\b(?:[^\n#\\]|\\.)*(#[ \t]*(?:skip|todo)\b[^\n]*)?/gim;
