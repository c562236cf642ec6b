/**
 * Finds a small run that fails in the same way: fewer faults, then fewer tasks. Delta debugging (Zeller & Hildebrandt,
 * "Simplifying and Isolating Failure-Inducing Input", 2002): leave out ever smaller parts of what is there, as long as the
 * rest still fails. Each try is a whole run of the seed with these faults and tasks only, and such a run is the same
 * every time, so what is found can be named and repeated.
 */
import type { Only } from './faults.ts';
import type { Outcome } from './simulation.ts';

/** A run that fails, and what it needs for that. */
export interface Shrunk {
  /** Faults, and tasks when some could be left out, as `--only` takes them. */
  readonly only: readonly string[];
  readonly outcome: Outcome;
  /** Runs that were tried. */
  readonly runs: number;
}

/** @param mostRuns no more runs than these are tried. */
export async function shrink(
  failed: Outcome,
  run: (only: Only) => Promise<Outcome>,
  mostRuns = 150,
): Promise<Shrunk> {
  const wanted = kindOf(failed);
  let best = failed;
  let runs = 0;
  const fails = async (ids: readonly string[]): Promise<readonly string[] | null> => {
    if (runs >= mostRuns) return null;
    runs += 1;
    const outcome = await run(new Set(ids));
    if (kindOf(outcome) !== wanted) return null;
    best = outcome;
    // What was allowed and did not strike is not needed either.
    const struck = new Set(outcome.struck.map(({ id }) => id));
    return ids.filter((id) => struck.has(id) || !id.includes('#'));
  };
  const all = failed.struck.map(({ id }) => id);
  const faults = await fewest(all, (ids) => fails(ids));
  const tasks = await fewest(best.tasks, async (ids) => {
    if (ids.length === 0) return null;
    const kept = await fails([...faults, ...ids]);
    return kept === null ? null : kept.filter((id) => !id.includes('#'));
  });
  const only =
    tasks.length === best.tasks.length && tasks.length === failed.tasks.length
      ? faults
      : [...faults, ...tasks];
  // Said again as it is named: whoever repeats it sees this run.
  best = await run(new Set(only));
  return { only, outcome: best, runs };
}

/** A small part of the items with which it still fails. @param fails what of them is needed; null: it does not fail. */
async function fewest(
  items: readonly string[],
  fails: (items: readonly string[]) => Promise<readonly string[] | null>,
): Promise<readonly string[]> {
  let kept = (await fails([])) ?? items;
  for (let parts = 2; kept.length > 0; ) {
    const smaller = await leftOut(kept, Math.min(parts, kept.length), fails);
    if (smaller !== null) kept = smaller;
    else if (parts >= kept.length) return kept;
    parts = smaller === null ? Math.min(kept.length, 2 * parts) : Math.max(2, parts - 1);
  }
  return kept;
}

/** The first of the parts without which it still fails; null: each is needed. */
async function leftOut(
  items: readonly string[],
  parts: number,
  fails: (items: readonly string[]) => Promise<readonly string[] | null>,
): Promise<readonly string[] | null> {
  for (let part = 0; part < parts; part++) {
    const [from, to] = [part, part + 1].map((at) => Math.floor((at * items.length) / parts));
    const kept = await fails([...items.slice(0, from), ...items.slice(to)]);
    if (kept !== null) return kept;
  }
  return null;
}

/** Two runs fail in the same way when the first thing that did not hold reads the same but for names and figures. */
function kindOf({ violations: [first] }: Outcome): string | null {
  if (first === undefined) return null;
  return first.replace(/\n[^]*/u, '').replace(/\b[0-9a-f]{8,}\b|\b\w+\/\w+\b|\b[Tnpq]\d*\b|\d+/gu, '*');
}
