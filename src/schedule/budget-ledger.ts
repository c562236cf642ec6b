/**
 * What attempts have used and what the live ones hold reserved, summed by what a budget may bound: the home, a project
 * or a key, each for good and by day. A use counts on the day on which its attempt ended. Tasks are many, so they are summed
 * only where their project bounds each of them, and only for good.
 *
 * A use that nobody reported counts as what was reserved for it, and is told apart. Kept with the state and brought up to
 * date with what was claimed and ended since, so a turn costs what changed and not what exists.
 */
import type { Attempt } from '../model/attempt.ts';
import { type Amount, type BudgetRules, DEFAULT_RESERVE_TOKENS, UNBOUNDED } from '../model/budget.ts';
import { BUILT_IN_PRICES } from '../model/built-in-prices.ts';
import type { ExecutorDef } from '../model/executor.ts';
import { projectOfKey } from '../model/found.ts';
import type { ProjectName, TaskKey, Token } from '../model/ids.ts';
import { dayWith } from '../model/period.ts';
import { costOf, priceOfExecutor, roughCostOf } from '../model/price.ts';
import type { TaskSpec } from '../model/spec.ts';
import type { State } from '../model/state.ts';
import { tokensIn, usageOf } from '../model/usage.ts';
import { History } from './budget-history.ts';

/** One sum. `unknown…`: attempts in it that count as what was reserved for them, or could not be priced. */
export interface Spent {
  attempts: number;
  tokens: number;
  usd: number;
  unknownTokens: number;
  unknownUsd: number;
}

/** Where nobody has read dispatch.yaml. */
const DEFAULT_RULES: BudgetRules = {
  home: UNBOUNDED,
  credentials: {},
  reserveTokens: DEFAULT_RESERVE_TOKENS,
  prices: BUILT_IN_PRICES,
  timezone: 'UTC',
};

/** As of this state; its sums are not to be changed. */
export function ledgerOf(state: State, rules: BudgetRules = DEFAULT_RULES): Ledger {
  const known = kept.get(state);
  const isCurrent = known?.rules === rules && known.sumsTasksOf(boundingTasks(state));
  const ledger = isCurrent ? known : new Ledger(state, rules);
  if (ledger !== known) kept.set(state, ledger);
  ledger.follow();
  return ledger;
}

const kept = new WeakMap<State, Ledger>();

/** The next look sums anew. */
export function forgetLedger(state: State): void {
  kept.delete(state);
}

/** The projects that bound each of their tasks. */
function boundingTasks({ projects }: State): ReadonlySet<ProjectName> {
  return new Set(
    [...projects.values()].flatMap(({ name, config }) => (config.taskBudget === undefined ? [] : name)),
  );
}

export class Ledger {
  readonly rules: BudgetRules;
  readonly #state: State;
  readonly #history = new History();
  readonly #spent = new Map<string, Spent>();
  readonly #reserved = new Map<string, { tokens: number; usd: number }>();
  /** Stops before its end and so goes on with what is added; attempts are never taken out. */
  readonly #attempts: Iterator<Attempt>;
  #seen = 0;
  readonly #open = new Map<Token, Attempt>();
  readonly #byTask: ReadonlySet<ProjectName>;
  readonly #tried = new Set<TaskKey>();
  #day = { label: '', from: 0, to: 0 };

  constructor(state: State, rules: BudgetRules) {
    this.#state = state;
    this.rules = rules;
    this.#attempts = state.attempts.values();
    this.#byTask = boundingTasks(state);
  }

  /** Whether tasks are summed of just these projects. */
  sumsTasksOf(projects: ReadonlySet<ProjectName>): boolean {
    return this.#byTask.size === projects.size && [...projects].every((name) => this.#byTask.has(name));
  }

  /** Of projects that bound each task, those of which an attempt is over. */
  get tried(): ReadonlySet<TaskKey> {
    return this.#tried;
  }

  follow(): void {
    for (; this.#seen < this.#state.attempts.size; this.#seen += 1) {
      const { value: attempt } = this.#attempts.next() as IteratorYieldResult<Attempt>;
      if (attempt.work.kind !== 'work') continue;
      this.#open.set(attempt.token, attempt);
      this.#reserve(attempt, 1);
    }
    for (const attempt of this.#open.values()) {
      if (attempt.phase.is !== 'ended' && attempt.phase.is !== 'fenced') continue;
      this.#open.delete(attempt.token);
      this.#reserve(attempt, -1);
      this.#settle(attempt, attempt.phase.at);
    }
  }

  /** The date of an instant, `2026-11-20`. */
  dayOf(at: number): string {
    if (at < this.#day.from || at >= this.#day.to) {
      this.#day = dayWith(at, this.rules.timezone);
    }
    return this.#day.label;
  }

  /** When the day of an instant ends. */
  dayEnd(at: number): number {
    this.dayOf(at);
    return this.#day.to;
  }

  /** @param subject as `subjectOf` names it; for good without a day. */
  spent(subject: string, day: string | null): Spent {
    return this.#spent.get(keyOf(subject, day)) ?? NOTHING;
  }

  /** What live attempts hold. */
  reserved(subject: string): { readonly tokens: number; readonly usd: number } {
    return this.#reserved.get(subject) ?? { tokens: 0, usd: 0 };
  }

  /**
   * What an attempt at the task is expected to use: what those before it used, with this executor and of this size; else
   * what its spec allows; else what the rules say of an agent. Never more than its spec allows.
   */
  estimate(spec: TaskSpec, executor: string): Amount {
    const known = this.#history.expected(executor, spec);
    const tokens = known?.tokens ?? spec.budgetTokens ?? this.#usual(spec.project, executor);
    const most = Math.min(tokens, spec.budgetTokens ?? tokens);
    const price = this.#price(spec.project, executor);
    return { tokens: most, usd: known?.usd ?? (price === null ? null : roughCostOf(most, price)) };
  }

  /** A shell command that nothing is known of is no agent: nothing is reserved for it. */
  #usual(project: ProjectName, executor: string): number {
    return this.isAgent(project, executor) ? this.rules.reserveTokens : 0;
  }

  isAgent(project: ProjectName, executor: string): boolean {
    const def = this.#definition(project, executor);
    return def !== undefined && def.kind !== 'shell';
  }

  /** @param sign 1 to reserve, -1 to give back. */
  #reserve(attempt: Attempt, sign: 1 | -1): void {
    if (attempt.reserved === undefined) return;
    const { tokens, usd } = attempt.reserved;
    for (const subject of [...this.#subjectsOf(attempt), ...this.#taskOf(attempt)]) {
      const sum = this.#reserved.get(subject) ?? { tokens: 0, usd: 0 };
      this.#reserved.set(subject, sum);
      sum.tokens += sign * (tokens ?? 0);
      sum.usd = Math.max(0, sum.usd + sign * (usd ?? 0));
    }
  }

  #settle(attempt: Attempt, at: number): void {
    const charge = this.chargeOf(attempt);
    const day = this.dayOf(at);
    for (const subject of this.#subjectsOf(attempt)) {
      this.#add(keyOf(subject, null), charge);
      this.#add(keyOf(subject, day), charge);
    }
    for (const subject of this.#taskOf(attempt)) {
      this.#add(keyOf(subject, null), charge);
      this.#tried.add(attempt.task);
    }
    const spec = this.#state.tasks.get(attempt.task)?.spec;
    if (spec !== undefined && charge.unknownTokens === 0 && charge.tokens > 0)
      this.#history.add(executorOf(attempt, spec), spec, charge);
  }

  #add(key: string, charge: Spent): void {
    const sum = this.#spent.get(key) ?? { ...NOTHING };
    this.#spent.set(key, sum);
    for (const name of Object.keys(NOTHING) as (keyof Spent)[]) sum[name] += charge[name];
  }

  /** What an attempt that is over counts for. */
  chargeOf(attempt: Attempt): Spent {
    const { phase, task, reserved } = attempt;
    // No tree could be made, so no agent ran.
    if (phase.is === 'ended' && phase.outcome.kind === 'failed' && phase.outcome.cause === 'prepare')
      return { ...NOTHING, attempts: 1 };
    const project = projectOfKey(task);
    const spec = this.#state.tasks.get(task)?.spec;
    const executor = executorOf(attempt, spec);
    const price = this.#price(project, executor);
    const usage = usageOf(attempt);
    const counted = usage === null ? null : tokensIn(usage);
    if (usage === null || counted === null) {
      const usual = this.#usual(project, executor);
      const tokens = reserved?.tokens ?? Math.min(usual, spec?.budgetTokens ?? usual);
      const usd = usage?.costUsd ?? reserved?.usd ?? (price === null ? 0 : roughCostOf(tokens, price));
      return { attempts: 1, tokens, usd, unknownTokens: 1, unknownUsd: usage?.costUsd == null ? 1 : 0 };
    }
    const usd = (price === null ? null : costOf(usage, price)) ?? usage.costUsd;
    const guess = usd ?? reserved?.usd ?? 0;
    return { attempts: 1, tokens: counted, usd: guess, unknownTokens: 0, unknownUsd: usd === null ? 1 : 0 };
  }

  #subjectsOf(attempt: Attempt): string[] {
    const { credential } = attempt;
    return [
      HOME,
      subjectOf('project', projectOfKey(attempt.task)),
      ...(credential === undefined ? [] : [subjectOf('credential', credential)]),
    ];
  }

  /** Empty where the project does not bound its tasks. */
  #taskOf({ task }: Attempt): [string] | [] {
    return this.#byTask.has(projectOfKey(task)) ? [subjectOf('task', task)] : [];
  }

  #price(project: ProjectName, executor: string): ReturnType<typeof priceOfExecutor> {
    return priceOfExecutor(this.#definition(project, executor), executor, this.rules.prices);
  }

  #definition(project: ProjectName, executor: string): ExecutorDef | undefined {
    return this.#state.projects.get(project)?.config.executors[executor];
  }
}

export const HOME = 'home';

/** `project:web`, `task:web/S03`. */
export function subjectOf(kind: 'project' | 'credential' | 'task', name: string): string {
  return `${kind}:${name}`;
}

function keyOf(subject: string, day: string | null): string {
  return day === null ? subject : `${subject}@${day}`;
}

/** Which executor ran it. */
export function executorOf({ executor }: Attempt, spec: TaskSpec | undefined): string {
  return executor ?? spec?.executor ?? 'unknown';
}

const NOTHING: Readonly<Spent> = { attempts: 0, tokens: 0, usd: 0, unknownTokens: 0, unknownUsd: 0 };
