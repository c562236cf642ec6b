/** Bounds and what is gone of them, in words. */
import { assertNever } from '../model/assert.ts';
import { type BudgetVerdict, projectOf } from '../schedule/budget.ts';

/** `project web, 2026-11-20: $4.20 used, $1.00 reserved of $5.00 (104 %)`, and what is not known of it. */
export function budgetLine(verdict: BudgetVerdict): string {
  const { unit, day, limit, used, reserved, unknown } = verdict;
  const held = reserved > 0 ? `, ${amountText(reserved, unit)} reserved` : '';
  const when = day === null ? '' : `, ${day}`;
  const gone = `${amountText(used, unit)} used${held} of ${amountText(limit, unit)} (${shareText(verdict)})`;
  return `${whose(verdict)}${when}: ${gone}${unknownText(unknown, unit)}`;
}

/** What the task asks for besides; empty when no task was asked about. */
export function needsText({ needs, unit, name, of }: BudgetVerdict): string {
  if (needs === undefined || needs === 0) return '';
  if (needs === null) {
    const where = whose({ of, name });
    return `; what its agent costs is not known, and ${where} has a bound in dollars: name a price under \`prices\` in dispatch.yaml`;
  }
  return `; this task is expected to use ${amountText(needs, unit)}`;
}

/** What to type for more. */
export function raiseCommand(verdict: BudgetVerdict): string {
  const { of, unit, day, limit } = verdict;
  const span = of === 'task' ? 'task' : day === null ? 'total' : 'day';
  const more = unit === 'usd' ? Math.ceil(limit * 200) / 100 : limit * 2;
  return `dispatch budget raise ${placeOf(verdict)} --${span} --${unit} ${more}`;
}

function placeOf({ of, name }: BudgetVerdict): string {
  switch (of) {
    case 'home':
      return '--all';
    case 'credential':
      return `--credential ${name}`;
    case 'project':
    case 'task':
      return projectOf({ of, name }) ?? '';
    default:
      return assertNever(of);
  }
}

/** What does not happen any more. */
export function goneText({ of }: BudgetVerdict): string {
  return of === 'task' ? 'it starts no more' : 'no new work starts';
}

export function amountText(amount: number, unit: 'tokens' | 'usd'): string {
  return unit === 'usd' ? `$${amount.toFixed(2)}` : `${thousands(amount)} tokens`;
}

/** Of used alone: what is reserved may come back. */
export function shareText({ used, limit }: Pick<BudgetVerdict, 'used' | 'limit'>): string {
  return `${Math.floor((100 * used) / limit)} %`;
}

function whose({ of, name }: Pick<BudgetVerdict, 'of' | 'name'>): string {
  return of === 'home' ? 'this home' : `${of === 'credential' ? 'key' : of} ${name ?? ''}`;
}

function unknownText(unknown: number, unit: 'tokens' | 'usd'): string {
  if (unknown === 0) return '';
  const count = unknown === 1 ? '1 attempt' : `${unknown} attempts`;
  return unit === 'tokens'
    ? `; ${count} told nothing and count as what was reserved`
    : `; the cost of ${count} is not known and counts as what was reserved`;
}

function thousands(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}
