import type { Finding, TestCounts } from '../../model/attempt.ts';

/**
 * Fewer tests than before, or more skipped ones: what is no longer run cannot fail. Null when there is nothing to say.
 * Both counts are of the same command.
 */
export function shrinkage(before: TestCounts, now: TestCounts): Finding | null {
  const fewer = before.ran - now.ran;
  const idle = now.skipped - before.skipped;
  if (fewer <= 0 && idle <= 0) return null;
  const what = [
    ...(fewer > 0 ? [`${now.ran} tests ran where ${before.ran} ran before it`] : []),
    ...(idle > 0 ? [`${now.skipped} are skipped where ${before.skipped} were`] : []),
  ].join(', and ');
  return {
    gate: 'tests',
    path: null,
    line: null,
    message: `the merged tree is tested less than integration: ${what}`,
    fix: 'Bring back the tests that are gone or skipped. A spec that is meant to delete tests lists their files literally in modifies.',
  };
}
