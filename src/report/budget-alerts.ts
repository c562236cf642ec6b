/** What a person has to know about money: bounds that are nearly or wholly used, and work that none leaves room for. */
import { projectOfKey } from '../model/found.ts';
import type { ProjectName } from '../model/ids.ts';
import { Budgets, type BudgetVerdict, isGone, isNearlyGone, projectOf } from '../schedule/budget.ts';
import type { Snapshot } from '../schedule/snapshot.ts';
import { whyEach } from '../schedule/why.ts';
import type { Alert } from './alerts.ts';
import { budgetLine, goneText, needsText, raiseCommand } from './budget-text.ts';

/** @param projects null: all of them. @param share of a bound that is told when it is used, from 0 to 1; 0.8 when left out. */
export function budgetAlerts(
  snapshot: Snapshot,
  projects: ReadonlySet<ProjectName> | null,
  now: number,
  share?: number,
): Alert[] {
  const budgets = new Budgets(snapshot, now);
  if (!budgets.isBounded) return [];
  const bounds = [...budgets.all(), ...budgets.ofTasks()];
  const concerns = (verdict: BudgetVerdict): boolean => {
    const project = projectOf(verdict);
    return project === null || projects === null || projects.has(project);
  };
  const alerts = new Map<string, Alert>();
  for (const verdict of bounds.filter(concerns)) {
    const isOver = isGone({ ...verdict, reserved: 0 });
    if (isOver || isNearlyGone(verdict, share)) alerts.set(keyOf(verdict), alertOf(verdict, isOver, now));
  }
  const why = whyEach(snapshot, now);
  for (const key of snapshot.state.startable) {
    const task = snapshot.state.tasks.get(key);
    if (task === undefined || (projects !== null && !projects.has(projectOfKey(key)))) continue;
    const blocker = why(task).find((one) => one.why === 'budget');
    for (const verdict of blocker?.budgets ?? []) {
      // What live attempts hold comes back by itself, or is used.
      const waits = verdict.reserved > 0 && !isGone({ ...verdict, reserved: 0 });
      if (!waits) alerts.set(keyOf(verdict), alertOf(verdict, true, now));
    }
  }
  return [...alerts.values()];
}

function alertOf(verdict: BudgetVerdict, isGoneNow: boolean, now: number): Alert {
  return {
    cause: `budget/${keyOf(verdict).replaceAll(' ', '/')}`,
    level: isGoneNow ? 'P0' : 'P1',
    node: null,
    project: projectOf(verdict),
    code: isGoneNow ? 'E_BUDGET_GONE' : 'E_BUDGET_LOW',
    message: `${isGoneNow ? `${goneText(verdict)}: ` : ''}${budgetLine(verdict)}${needsText(verdict)}`,
    since: now,
    fix: raiseCommand(verdict),
  };
}

function keyOf({ of, name, unit, day }: BudgetVerdict): string {
  return [of, name, unit, day].join(' ');
}
