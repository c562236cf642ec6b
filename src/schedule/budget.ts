/**
 * Budgets during one call: what may still be spent, taken bit by bit as attempts are decided.
 *
 * An attempt starts only where what was used, what live attempts hold and what it is expected to use itself stay within
 * every bound that holds for it: those of the home, of its project and of its key, for the day and for good, and of the
 * task itself over all its attempts. So what is
 * spent exceeds a bound by no more than attempts exceed what was reserved for them, which their own limits bound.
 */
import type { Attempt } from '../model/attempt.ts';
import { ALERT_SHARE, type Amount, type Bounds, type BudgetRules } from '../model/budget.ts';
import { assertNever } from '../model/assert.ts';
import { projectOfKey } from '../model/found.ts';
import type { ProjectName, TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';
import { isFinal, type Task } from '../model/task.ts';
import { HOME, type Ledger, ledgerOf, subjectOf } from './budget-ledger.ts';
import type { Route } from './credentials.ts';

/** One bound, and how much of it is gone. */
export interface BudgetVerdict {
  readonly of: 'home' | 'project' | 'credential' | 'task';
  /** Of the project or key, `web/S03` of a task; null for the home. */
  readonly name: string | null;
  readonly unit: 'tokens' | 'usd';
  /** `2026-11-20` where the bound is for a day; null: for good. */
  readonly day: string | null;
  /** Wall clock at which that day is over. */
  readonly until: number | null;
  readonly limit: number;
  readonly used: number;
  /** Held by live attempts, those decided in this call included. */
  readonly reserved: number;
  /** Attempts in `used` that count as what was reserved for them: nobody reported their use, or no price is known. */
  readonly unknown: number;
  /** What the task is expected to use; null: nobody can say, because no price is known. Missing: no task was asked for. */
  readonly needs?: number | null;
}

type Place = Pick<BudgetVerdict, 'of' | 'name'> & { readonly subject: string; readonly bounds: Bounds };

/** US dollars are sums of fractions. */
const HAIR = 1e-9;

export class Budgets {
  readonly #state: State;
  readonly #rules: BudgetRules | undefined;
  readonly #now: number;
  readonly #taken = new Map<string, { tokens: number; usd: number }>();
  /** Somebody has set a bound. */
  readonly isBounded: boolean;
  #known: Ledger | null = null;

  constructor({ state, budget }: { readonly state: State; readonly budget?: BudgetRules }, now: number) {
    this.#state = state;
    this.#rules = budget;
    this.#now = now;
    this.isBounded =
      (budget !== undefined &&
        [budget.home, ...Object.values(budget.credentials)].some(({ day, total }) => day ?? total)) ||
      [...state.projects.values()].some(({ config }) => config.budget ?? config.taskBudget);
  }

  /** The bounds that leave no room for an attempt at the task. */
  objections(task: Task, route: Route): BudgetVerdict[] {
    if (!this.isBounded) return [];
    const places = this.#placesOfTask(task, route);
    if (places.length === 0) return [];
    const expected = this.#ledger.estimate(task.spec, route.executor);
    const isAgent = this.#ledger.isAgent(task.spec.project, route.executor);
    return places
      .flatMap((place) => this.#verdicts(place, expected))
      .filter((verdict) => !fits(verdict, isAgent));
  }

  /** Nothing is left of a bound of the home or of the project, whatever an attempt needs. */
  isExhausted(project: ProjectName): boolean {
    if (!this.isBounded) return false;
    return this.#placesOf(project).some((place) => this.#verdicts(place).some(isGone));
  }

  /** Nothing may be spent on the key any more: another one is better, if there is one. */
  isClosed(credential: string): boolean {
    if (!this.isBounded) return false;
    const place = this.#credential(credential);
    return place !== null && this.#verdicts(place).some(isGone);
  }

  /** Takes what an attempt at the task is expected to use. @returns that; null where no bound holds for it. */
  take(task: Task, route: Route): Amount | null {
    if (!this.isBounded) return null;
    const places = this.#placesOfTask(task, route);
    if (places.length === 0) return null;
    const expected = this.#ledger.estimate(task.spec, route.executor);
    for (const { subject } of places) {
      const taken = this.#taken.get(subject) ?? { tokens: 0, usd: 0 };
      this.#taken.set(subject, taken);
      taken.tokens += expected.tokens ?? 0;
      taken.usd += expected.usd ?? 0;
    }
    return expected;
  }

  /** The bounds that are exceeded with an attempt that has just been claimed; what it holds is in them already. */
  overdrawnBy({ task, credential }: Attempt): BudgetVerdict[] {
    if (!this.isBounded) return [];
    const key = credential === undefined ? null : this.#credential(credential);
    const places = [
      ...this.#task(task),
      ...this.#placesOf(projectOfKey(task)),
      ...(key === null ? [] : [key]),
    ];
    return places
      .flatMap((place) => this.#verdicts(place))
      .filter(({ used, reserved, limit }) => used + reserved > limit + HAIR);
  }

  /** Every bound there is, the home's first, but for those of tasks. */
  all(): BudgetVerdict[] {
    return this.#places().flatMap((place) => this.#verdicts(place));
  }

  #places(): Place[] {
    if (!this.isBounded) return [];
    const keys = Object.keys(this.#rules?.credentials ?? {}).flatMap((name) => this.#credential(name) ?? []);
    const projects = [...this.#state.projects.keys()].flatMap((name) => this.#project(name) ?? []);
    return [...this.#home(), ...projects, ...keys];
  }

  /** The bounds of tasks that have used something and may start again; few tasks are told of, so nobody else is listed. */
  ofTasks(): BudgetVerdict[] {
    const { tasks, projects } = this.#state;
    if (![...projects.values()].some(({ config }) => config.taskBudget !== undefined)) return [];
    return [...this.#ledger.tried].flatMap((key) => {
      const task = tasks.get(key);
      if (task === undefined || isFinal(task.progress)) return [];
      return this.#task(key).flatMap((place) => this.#verdicts(place));
    });
  }

  /** When a bound for the day is new again; null: there is none. */
  get dayEnd(): number | null {
    const isDaily = this.#places().some(
      ({ bounds: { day } }) => day !== null && (day.tokens ?? day.usd) !== null,
    );
    return isDaily ? this.#ledger.dayEnd(this.#now) : null;
  }

  #verdicts({ of, name, subject, bounds }: Place, expected?: Amount): BudgetVerdict[] {
    const ledger = this.#ledger;
    const held = ledger.reserved(subject);
    const taken = this.#taken.get(subject) ?? { tokens: 0, usd: 0 };
    const today = ledger.dayOf(this.#now);
    return (['day', 'total'] as const).flatMap((span) =>
      (['tokens', 'usd'] as const).flatMap((unit): BudgetVerdict[] => {
        const limit = bounds[span]?.[unit] ?? null;
        if (limit === null) return [];
        const day = span === 'day' ? today : null;
        const spent = ledger.spent(subject, day);
        const unknown = unit === 'tokens' ? spent.unknownTokens : spent.unknownUsd;
        const needs = expected === undefined ? {} : { needs: expected[unit] };
        const until = day === null ? null : ledger.dayEnd(this.#now);
        const reserved = held[unit] + taken[unit];
        return [{ of, name, unit, day, until, limit, used: spent[unit], reserved, unknown, ...needs }];
      }),
    );
  }

  #placesOfTask({ key: task, spec }: Task, { credential }: Route): Place[] {
    const key = credential === null ? null : this.#credential(credential);
    return [...this.#task(task), ...this.#placesOf(spec.project), ...(key === null ? [] : [key])];
  }

  #placesOf(project: ProjectName): Place[] {
    return [...this.#home(), ...(this.#project(project) ?? [])];
  }

  #task(key: TaskKey): Place[] {
    const total = this.#state.projects.get(projectOfKey(key))?.config.taskBudget;
    if (total === undefined) return [];
    return [{ of: 'task', name: key, subject: subjectOf('task', key), bounds: { day: null, total } }];
  }

  #home(): Place[] {
    const bounds = this.#rules?.home;
    if (bounds === undefined || (bounds.day === null && bounds.total === null)) return [];
    return [{ of: 'home', name: null, subject: HOME, bounds }];
  }

  #project(name: ProjectName): [Place] | null {
    const bounds = this.#state.projects.get(name)?.config.budget;
    return bounds === undefined
      ? null
      : [{ of: 'project', name, subject: subjectOf('project', name), bounds }];
  }

  #credential(name: string): Place | null {
    const bounds = this.#rules?.credentials[name];
    return bounds === undefined
      ? null
      : { of: 'credential', name, subject: subjectOf('credential', name), bounds };
  }

  get #ledger(): Ledger {
    this.#known ??= ledgerOf(this.#state, this.#rules);
    return this.#known;
  }
}

/** The project that a bound is of, itself or its task's; null: one that projects share. */
export function projectOf({ of, name }: Pick<BudgetVerdict, 'of' | 'name'>): ProjectName | null {
  switch (of) {
    case 'home':
    case 'credential':
      return null;
    case 'project':
      return name as ProjectName;
    case 'task':
      return projectOfKey(name as TaskKey);
    default:
      return assertNever(of);
  }
}

/** Nothing is left, whatever live attempts turn out to use. */
export function isGone({ used, reserved, limit }: BudgetVerdict): boolean {
  return used + reserved >= limit - HAIR;
}

/** The task needs more than the whole bound: it never starts under it. */
export function neverFits({ needs, limit }: BudgetVerdict): boolean {
  return needs === null || (needs ?? 0) > limit + HAIR;
}

/** So much of it is used that a person is told. @param share of the whole, from 0 to 1. */
export function isNearlyGone({ used, limit }: BudgetVerdict, share = ALERT_SHARE): boolean {
  return used >= share * limit - HAIR;
}

/** What an agent costs has to be known before; a shell command of unknown price is told apart in what was used. */
function fits(verdict: BudgetVerdict, isAgent: boolean): boolean {
  const { needs, used, reserved, limit } = verdict;
  if (isGone(verdict)) return false;
  if (needs === null) return !isAgent;
  return used + reserved + (needs ?? 0) <= limit + HAIR;
}
