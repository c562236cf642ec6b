/**
 * What a queue has shown so far, as counts, and the rates that follow from them. Batch sizes and confirmations lean on
 * these figures and nothing else does, so a controller that has forgotten them only works with wider guesses for a while.
 */

/** Counts of one queue; older ones fade. */
export interface QueueRecord {
  /** Branches that passed, and branches that were refused, in their first judgement. */
  readonly passed: number;
  readonly refused: number;
  /** The same for branches that had been found good alone before they were stacked. */
  readonly clearedPassed: number;
  readonly clearedRefused: number;
  /** Gate runs that were green, and red ones that a later green run on the same or a larger set contradicted. */
  readonly greens: number;
  readonly flakes: number;
}

export const NO_RECORD: QueueRecord = {
  passed: 0,
  refused: 0,
  clearedPassed: 0,
  clearedRefused: 0,
  greens: 0,
  flakes: 0,
};

/** Branches after which what was seen counts half, so that the rate follows a fleet that gets better or worse. */
const FADE_AT = 400;

/** The record with more seen. */
export function observe(record: QueueRecord, seen: Partial<QueueRecord>): QueueRecord {
  const sum = (key: keyof QueueRecord): number => record[key] + (seen[key] ?? 0);
  const [passed, refused] = faded(sum('passed'), sum('refused'));
  const [clearedPassed, clearedRefused] = faded(sum('clearedPassed'), sum('clearedRefused'));
  return {
    passed,
    refused,
    clearedPassed,
    clearedRefused,
    greens: sum('greens'),
    flakes: sum('flakes'),
  };
}

function faded(a: number, b: number): [number, number] {
  return a + b > FADE_AT ? [a / 2, b / 2] : [a, b];
}

/** Chance that a branch nobody has judged yet is bad: the mean of a Beta distribution that begins at 1 in 7. */
export function failureRate({ passed, refused }: QueueRecord): number {
  return (refused + 1) / (passed + refused + 7);
}

/** The same for a branch that is good alone: what remains is that it does not fit together with others. */
export function residualRate({ clearedPassed, clearedRefused }: QueueRecord): number {
  return (clearedRefused + 0.5) / (clearedPassed + clearedRefused + 25);
}

/** Share of runs on good trees that are red for no reason; begins at 1 in 200. */
function flakeRate({ greens, flakes }: QueueRecord): number {
  return (flakes + 0.25) / (greens + flakes + 50);
}

/** Flake rate below which a single red run is taken at its word, and below which two on different sets are. */
const STEADY = 0.00077;
const BACKING = 0.025;

/**
 * True when the gate has shown itself so steady that a red run need not be repeated: over some two hundred and
 * seventy-five green runs without a flake. A believed red run blames a good branch with 2.3 times the flake rate where every third
 * branch is bad.
 */
export function isSteady(record: QueueRecord): boolean {
  return flakeRate(record) < STEADY;
}

/** True when two red runs, of a branch and of a larger set in which all others are good, are not both flakes. */
export function mayBackUp(record: QueueRecord): boolean {
  return flakeRate(record) < BACKING;
}
