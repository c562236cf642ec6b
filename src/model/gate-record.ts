/**
 * What a verify command has shown at the gates of a project: how often it ran, and how often it went both ways on one
 * commit. A gate or a test that does so is flaky: its red runs are repeated, and its green ones count like any other's,
 * so being known as flaky neither refuses a branch nor lets one in.
 */

export interface GateRecord {
  readonly verify: string;
  /** Runs on merged commits that ended green or red. */
  readonly runs: number;
  readonly greens: number;
  /** Red runs that a later run on the same commit turned green. */
  readonly flakes: number;
  /** Wall clock of the last of these; null when there is none. */
  readonly lastFlake: number | null;
  /** Tests that failed in one of these, as far as the runner named them; the latest first, bounded. */
  readonly tests: readonly FlakyTest[];
}

export interface FlakyTest {
  readonly name: string;
  /** Times it failed on a commit on which it passed later. */
  readonly flakes: number;
  readonly last: number;
}

/** For how many verify commands, and how many tests of each. */
const GATES_KEPT = 64;
const TESTS_KEPT = 50;

/** The records after a red run. */
export function afterRed(records: readonly GateRecord[], verify: string): GateRecord[] {
  const { runs, ...rest } = recordFor(records, verify);
  return put(records, { ...rest, runs: runs + 1 });
}

/**
 * The records after a green run at wall clock `at`.
 * @param reds red runs on the same commit before it.
 * @param failed the tests that failed in those.
 */
export function afterGreen(
  records: readonly GateRecord[],
  verify: string,
  { reds, failed, at }: { readonly reds: number; readonly failed: readonly string[]; readonly at: number },
): GateRecord[] {
  const known = recordFor(records, verify);
  const record = { ...known, runs: known.runs + 1, greens: known.greens + 1 };
  if (reds === 0) return put(records, record);
  const again = failed.map((name): FlakyTest => {
    const before = known.tests.find((test) => test.name === name)?.flakes ?? 0;
    return { name, flakes: before + 1, last: at };
  });
  const others = known.tests.filter(({ name }) => !failed.includes(name));
  const tests = [...again, ...others].slice(0, TESTS_KEPT);
  return put(records, { ...record, flakes: known.flakes + reds, lastFlake: at, tests });
}

function recordFor(records: readonly GateRecord[], verify: string): GateRecord {
  const known = records.find((record) => record.verify === verify);
  return known ?? { verify, runs: 0, greens: 0, flakes: 0, lastFlake: null, tests: [] };
}

/** The one that ran last stands last; the one that has not run for longest is forgotten. */
function put(records: readonly GateRecord[], record: GateRecord): GateRecord[] {
  return [...records.filter(({ verify }) => verify !== record.verify), record].slice(-GATES_KEPT);
}
