/**
 * Reads a runner's list of figures such as `3 passed, 1 skipped` and sums what stands behind the words of each kind;
 * other words (warnings, totals) are left aside.
 */
export function tally(
  list: string,
  ran: readonly string[],
  skipped: readonly string[],
): { ran: number; skipped: number } {
  const counts = { ran: 0, skipped: 0 };
  for (const [, figure = '0', word = ''] of list.matchAll(/(\d+) ([a-z]+)/g)) {
    if (ran.includes(word)) counts.ran += Number(figure);
    if (skipped.includes(word)) counts.skipped += Number(figure);
  }
  return counts;
}

/** The sum over all matches of a pattern; null when there is none. */
export function overMatches(
  text: string,
  pattern: RegExp,
  counts: (match: RegExpMatchArray) => { ran: number; skipped: number },
): { ran: number; skipped: number } | null {
  const all = [...text.matchAll(pattern)].map(counts);
  if (all.length === 0) return null;
  return {
    ran: all.reduce((sum, { ran }) => sum + ran, 0),
    skipped: all.reduce((sum, { skipped }) => sum + skipped, 0),
  };
}
