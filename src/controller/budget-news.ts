/** Tells once when most of a bound is used, once when nothing is left of it, and again after it was raised or a new day. */
import { budgetLine, goneText, raiseCommand } from '../report/budget-text.ts';
import { Budgets, type BudgetVerdict, isGone, isNearlyGone } from '../schedule/budget.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import type { Note } from './note.ts';

type Level = 'low' | 'gone';

export class BudgetNews {
  readonly #told = new Map<string, Level>();

  /** What has come about since the last look. */
  look(snapshot: Snapshot, now: number): Note[] {
    const budgets = new Budgets(snapshot, now);
    return [...budgets.all(), ...budgets.ofTasks()].flatMap((verdict) => this.#newsOf(verdict));
  }

  #newsOf(verdict: BudgetVerdict): Note[] {
    const { of, name, unit, day, limit } = verdict;
    const key = [of, name, unit, day, limit].join(' ');
    const level = levelOf(verdict);
    const told = this.#told.get(key);
    if (level === null || level === told || told === 'gone') return [];
    this.#told.set(key, level);
    const what = level === 'gone' ? `nothing is left, so ${goneText(verdict)}` : 'most of it is used';
    return [
      {
        about: 'budget',
        name: name ?? 'home',
        code: level === 'gone' ? 'E_BUDGET_GONE' : 'E_BUDGET_LOW',
        message: `${what}: ${budgetLine(verdict)}`,
        fix: raiseCommand(verdict),
      },
    ];
  }
}

/** What live attempts hold may come back, so only what is used counts. */
function levelOf(verdict: BudgetVerdict): Level | null {
  if (isGone({ ...verdict, reserved: 0 })) return 'gone';
  return isNearlyGone(verdict) ? 'low' : null;
}
