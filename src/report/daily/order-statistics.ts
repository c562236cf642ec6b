/** The smallest value with at least the share `q` of all values at or below it. @param sorted ascending, not empty. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = Math.max(0, Math.ceil(q * sorted.length) - 1);
  return sorted[place] ?? Number.NaN;
}

/** The middle one, or the mean of the middle two. @param sorted ascending, not empty. */
export function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
