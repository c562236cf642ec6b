/**
 * How many branches to judge by one run of the gate, and where to cut a group that is red. Source of the sizes: Sobel
 * and Groll (1959), group testing; above a failure rate of (3 - sqrt 5) / 2 no pooling helps (Ungar, 1960).
 */

/** More would hardly save a run any more, and one red run would hold up too many. */
const LARGEST = 34;

/** The batch that is as likely green as red when each branch is bad with chance `rate`: one run then tells most. */
export function batchSize(rate: number): number {
  const size = Math.round(Math.log(0.5) / Math.log1p(-rate));
  return Math.max(1, Math.min(LARGEST, size));
}

/**
 * Where to cut `size` branches of which at least one is bad, to find the first bad one: prefix lengths, growing, at most
 * `parts`, between 1 and `size` - 1. One cut is at the median of the first bad one's place; several divide it evenly.
 */
export function cutsOf(size: number, rate: number, parts: number): number[] {
  const cuts = new Set<number>();
  const count = Math.min(parts, size - 1);
  const all = 1 - (1 - rate) ** size;
  for (let part = 1; part <= count; part++) {
    // The place up to which the first bad one lies with chance part / (count + 1), given that there is one.
    const place = Math.log1p((-all * part) / (count + 1)) / Math.log1p(-rate);
    cuts.add(Math.max(1, Math.min(size - 1, Math.round(place))));
  }
  return [...cuts].toSorted((a, b) => a - b);
}
