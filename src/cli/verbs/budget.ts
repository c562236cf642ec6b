/** What was used of what may be used. Reads the store; asks no controller. */
import { assertNever } from '../../model/assert.ts';
import { PRICES_AS_OF } from '../../model/built-in-prices.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { amountText, raiseCommand, shareText } from '../../report/budget-text.ts';
import { type Spending, spendingOf, type SpentRow } from '../../report/spending.ts';
import { Budgets, type BudgetVerdict, isNearlyGone, projectOf } from '../../schedule/budget.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';
import type { Column } from '../render/table.ts';
import { selectProject } from '../select.ts';
import { withView } from '../view.ts';

/** Rows of a section in a terminal; `-o json` has all. */
const SHOWN = 10;

export async function budget(context: Context, typed: string | undefined): Promise<ExitCode> {
  return withView(context, async ({ state, budget: rules }) => {
    const now = Date.now();
    const project = typed === undefined ? null : selectProject(state, typed).name;
    const budgets = new Budgets({ state, budget: rules }, now);
    const bounds = [...budgets.all(), ...budgets.ofTasks().toSorted((a, b) => shareOf(b) - shareOf(a))]
      .filter((verdict) => project === null || [null, project].includes(projectOf(verdict)))
      .map((verdict) => ({ ...verdict, left: verdict.limit - verdict.used - verdict.reserved }));
    const spent = spendingOf(state, rules, { project, now });
    const { output } = context;
    if (output.machine) {
      const { timezone, prices } = rules;
      output.envelope('Budget', { project, timezone, bounds, spent }, { pricesAsOf: PRICES_AS_OF, prices });
      return EXIT.ok;
    }
    if (output.format === 'name') {
      for (const verdict of bounds) output.line(boundName(verdict));
      return EXIT.ok;
    }
    show(output, bounds, spent);
    if (!budgets.isBounded) output.note(UNBOUNDED_NOTE);
    return EXIT.ok;
  });
}

function shareOf({ used, limit }: BudgetVerdict): number {
  return used / limit;
}

type Bound = BudgetVerdict & { readonly left: number };

function show(output: Output, bounds: readonly Bound[], spent: Spending): void {
  const tasks = bounds.filter(({ of }) => of === 'task');
  const rows = [...bounds.filter(({ of }) => of !== 'task'), ...tasks.slice(0, SHOWN)];
  if (rows.length > 0) output.write(output.table({ rows, columns: BOUND_COLUMNS }));
  if (tasks.length > SHOWN) output.line(`and ${tasks.length - SHOWN} more tasks: -o json`);
  const fixes = bounds.flatMap((verdict) => (isNearlyGone(verdict) ? raiseCommand(verdict) : []));
  for (const fix of new Set(fixes)) output.note(`more: ${fix}`);
  const sections = [
    ['day', spent.days],
    ['project', spent.projects],
    ['executor', spent.executors],
    ['key', spent.credentials],
    ['task', spent.tasks],
  ] as const;
  for (const [title, rows] of sections) {
    if (rows.length === 0) continue;
    output.line('');
    output.write(output.table({ rows: rows.slice(0, SHOWN), columns: spentColumns(title) }));
    if (rows.length > SHOWN) output.line(`and ${rows.length - SHOWN} more: -o json`);
  }
  if (spent.total.attempts > 0) output.note(`\n${MONEY_NOTE}`);
}

const UNBOUNDED_NOTE =
  'nothing is bounded. In project.yaml:   budget: { day: { usd: 20 } }   for all projects, in dispatch.yaml: the same';
const MONEY_NOTE = `Money is computed from list prices of ${PRICES_AS_OF} (\`prices\` in dispatch.yaml has yours; prices change: check), else as reported. Unknown is never zero: it counts as what was reserved.`;

const BOUND_COLUMNS: readonly Column<Bound>[] = [
  { title: 'bound', value: boundName },
  { title: 'used', value: ({ used, unit }) => amountText(used, unit) },
  { title: 'reserved', value: ({ reserved, unit }) => amountText(reserved, unit) },
  { title: 'left', value: ({ left, unit }) => amountText(Math.max(0, left), unit) },
  { title: 'of', value: ({ limit, unit }) => amountText(limit, unit) },
  {
    title: 'share',
    value: shareText,
    paint: (paint, verdict) => (isNearlyGone(verdict) ? paint.red : String),
  },
  { title: 'unknown', value: ({ unknown }) => String(unknown) },
];

function spentColumns(title: string): readonly Column<SpentRow>[] {
  return [
    { title, value: ({ name }) => name },
    { title: 'attempts', value: ({ attempts }) => String(attempts) },
    { title: 'tokens', value: ({ tokens }) => knownText(tokens, 'tokens') },
    { title: 'computed', value: ({ usd }) => knownText(usd, 'usd') },
    { title: 'reported', value: ({ reportedUsd }) => knownText(reportedUsd, 'usd') },
    { title: 'unknown', value: ({ unknown }) => String(Math.max(unknown.tokens, unknown.usd)) },
    { title: 'counted', value: ({ counted }) => amountText(counted.tokens, 'tokens'), wide: true },
    { title: 'counted usd', value: ({ counted }) => amountText(counted.usd, 'usd'), wide: true },
  ];
}

function knownText(amount: number | null, unit: 'tokens' | 'usd'): string {
  return amount === null ? 'unknown' : amountText(amount, unit);
}

/** `web, 2026-11-20`, `all projects, total`, `key glm, total`, `task web/S03, total`. */
function boundName({ of, name, day }: BudgetVerdict): string {
  return `${whose(of, name ?? '')}, ${day ?? 'total'}`;
}

function whose(of: BudgetVerdict['of'], name: string): string {
  switch (of) {
    case 'home':
      return 'all projects';
    case 'project':
      return name;
    case 'credential':
      return `key ${name}`;
    case 'task':
      return `task ${name}`;
    default:
      return assertNever(of);
  }
}
