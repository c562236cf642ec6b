/**
 * What the state of a running home is held against: nodes.json, the bounds of budgets, and locks. At a claim locks are looked
 * up in the index that the scheduler keeps; a look at the whole state makes one of its own, and so would show a mistake of that.
 */
import type { Surroundings } from '../model/invariants.ts';
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { PatternIndex } from '../plan/pattern-index.ts';
import { Budgets, type BudgetVerdict } from './budget.ts';
import { Locks } from './locks.ts';
import type { Snapshot } from './snapshot.ts';

type Known = Pick<Snapshot, 'nodes' | 'budget'>;

/** For what is watched turn by turn. */
export function surroundings(known: () => Known): Surroundings {
  return {
    lockAgainst: (state, task) => new Locks(state).against(task)?.holder ?? null,
    slotsOf: (node) => known().nodes.find(({ name }) => name === node)?.slots ?? null,
    overdrawnBy: (state, attempt) => {
      const { budget } = known();
      const rules = budget === undefined ? {} : { budget };
      const budgets = new Budgets({ state, ...rules }, attempt.claimedAt);
      return budgets.overdrawnBy(attempt).map((verdict) => `${attempt.token}: overdraws ${boundOf(verdict)}`);
    },
  };
}

/** For a look at the whole state, as it is now. */
export function surroundingsAnew(state: State): Surroundings {
  const held = new Map<ProjectName, PatternIndex<TaskKey>>();
  for (const key of state.locked) {
    const spec = state.tasks.get(key)?.spec;
    if (spec === undefined) continue;
    const index = held.get(spec.project) ?? new PatternIndex<TaskKey>();
    held.set(spec.project, index);
    index.add(key, spec.modifies);
  }
  return {
    lockAgainst: (_, { key, spec }) => held.get(spec.project)?.meeting(spec.modifies, key)?.key ?? null,
  };
}

function boundOf({ of, name, day, unit, used, reserved, limit }: BudgetVerdict): string {
  const whose = name === null ? `the ${of}` : `the ${of} ${name}`;
  return `${whose}${day === null ? '' : ` on ${day}`}: ${used} ${unit} used, ${reserved} held, of ${limit}`;
}
