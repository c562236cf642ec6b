/** What was spent, by day, project, executor, key and task: what agents reported and what it costs, and what nobody knows. */
import type { Attempt } from '../model/attempt.ts';
import type { BudgetRules } from '../model/budget.ts';
import { projectOfKey } from '../model/found.ts';
import type { ProjectName } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { usageOf } from '../model/usage.ts';
import { executorOf, type Ledger, ledgerOf } from '../schedule/budget-ledger.ts';
import { isLive } from './attempts.ts';

export interface SpentRow {
  readonly name: string;
  readonly attempts: number;
  readonly live: number;
  /** As reported; null: nobody reported any. */
  readonly tokens: number | null;
  /** By the price list, or as reported where the list has no price; null: not known of any. */
  readonly usd: number | null;
  /** What agents said themselves; null: none did. */
  readonly reportedUsd: number | null;
  /** Attempts whose use, or whose cost, is not known. */
  readonly unknown: { readonly tokens: number; readonly usd: number };
  /** Against budgets: unknown uses count as what was reserved for them, and live attempts for what they hold. */
  readonly counted: { readonly tokens: number; readonly usd: number };
}

export interface Spending {
  readonly total: SpentRow;
  /** Newest first. */
  readonly days: readonly SpentRow[];
  /** The others by what they cost. */
  readonly projects: readonly SpentRow[];
  readonly executors: readonly SpentRow[];
  readonly credentials: readonly SpentRow[];
  readonly tasks: readonly SpentRow[];
}

/** @param project null: all of them. @param now wall clock; live attempts count on its day. */
export function spendingOf(
  state: State,
  rules: BudgetRules,
  { project, now }: { readonly project: ProjectName | null; readonly now: number },
): Spending {
  const ledger = ledgerOf(state, rules);
  const total = new Sum('total');
  const groups = {
    days: new Map<string, Sum>(),
    projects: new Map<string, Sum>(),
    executors: new Map<string, Sum>(),
    credentials: new Map<string, Sum>(),
    tasks: new Map<string, Sum>(),
  };
  const add = (group: Map<string, Sum>, name: string, attempt: Attempt): void => {
    const sum = group.get(name) ?? new Sum(name);
    group.set(name, sum);
    sum.add(attempt, ledger);
  };
  for (const attempt of state.attempts.values()) {
    const { work, task, credential, phase } = attempt;
    if (work.kind !== 'work' || (project !== null && projectOfKey(task) !== project)) continue;
    total.add(attempt, ledger);
    add(groups.days, ledger.dayOf('at' in phase ? phase.at : now), attempt);
    add(groups.projects, projectOfKey(task), attempt);
    add(groups.executors, executorOf(attempt, state.tasks.get(task)?.spec), attempt);
    if (credential !== undefined) add(groups.credentials, credential, attempt);
    add(groups.tasks, task, attempt);
  }
  const rows = (group: Map<string, Sum>): SpentRow[] => [...group.values()].map((sum) => sum.row());
  const dearest = (group: Map<string, Sum>): SpentRow[] =>
    rows(group).toSorted((a, b) => b.counted.usd - a.counted.usd || b.counted.tokens - a.counted.tokens);
  return {
    total: total.row(),
    days: rows(groups.days).toSorted((a, b) => (a.name < b.name ? 1 : -1)),
    projects: dearest(groups.projects),
    executors: dearest(groups.executors),
    credentials: dearest(groups.credentials),
    tasks: dearest(groups.tasks),
  };
}

class Sum {
  readonly #name: string;
  #attempts = 0;
  #live = 0;
  #tokens: number | null = null;
  #usd: number | null = null;
  #reportedUsd: number | null = null;
  #unknown = { tokens: 0, usd: 0 };
  #counted = { tokens: 0, usd: 0 };

  constructor(name: string) {
    this.#name = name;
  }

  add(attempt: Attempt, ledger: Ledger): void {
    this.#attempts += 1;
    if (isLive(attempt)) {
      this.#live += 1;
      this.#counted.tokens += attempt.reserved?.tokens ?? 0;
      this.#counted.usd += attempt.reserved?.usd ?? 0;
      return;
    }
    const charge = ledger.chargeOf(attempt);
    this.#counted.tokens += charge.tokens;
    this.#counted.usd += charge.usd;
    this.#unknown.tokens += charge.unknownTokens;
    this.#unknown.usd += charge.unknownUsd;
    if (charge.unknownTokens === 0) this.#tokens = (this.#tokens ?? 0) + charge.tokens;
    if (charge.unknownUsd === 0) this.#usd = (this.#usd ?? 0) + charge.usd;
    const reported = usageOf(attempt)?.costUsd ?? null;
    if (reported !== null) this.#reportedUsd = (this.#reportedUsd ?? 0) + reported;
  }

  row(): SpentRow {
    return {
      name: this.#name,
      attempts: this.#attempts,
      live: this.#live,
      tokens: this.#tokens,
      usd: this.#usd,
      reportedUsd: this.#reportedUsd,
      unknown: this.#unknown,
      counted: this.#counted,
    };
  }
}
