/**
 * Budgets in a simulated home: some have one, agents report what they used or do not, and everything is counted again here,
 * from the events alone, and held against the bounds at each claim.
 */
import type { Outcome } from '../../src/model/attempt.ts';
import type { Bounds, BudgetRules } from '../../src/model/budget.ts';
import type { NewEvent } from '../../src/model/event.ts';
import { projectOfKey } from '../../src/model/found.ts';
import type { TaskKey, Token } from '../../src/model/ids.ts';
import type { ProjectConfig, TaskSpec } from '../../src/model/spec.ts';
import type { State } from '../../src/model/state.ts';
import type { Rng } from './rng.ts';

const RESERVE = 1000;
const DAY_MS = 86_400_000;
const NOTHING: Bounds = { day: null, total: null };

interface Charge {
  readonly token: Token;
  readonly task: TaskKey;
  readonly credential: string | null;
  /** null: nothing. */
  readonly reserved: number | null;
  /** null: it is alive. */
  used: { readonly tokens: number; readonly day: number } | null;
}

export class Money {
  readonly #rng: Rng;
  readonly #bounds: BudgetRules | null;
  readonly #charges = new Map<Token, Charge>();
  #lifted = false;

  constructor(rng: Rng) {
    this.#rng = rng;
    const bound = (): Bounds => ({
      day: rng.chance(0.3) ? { tokens: rng.between(1000, 9000), usd: null } : null,
      total: rng.chance(0.7) ? { tokens: rng.between(3000, 20_000), usd: null } : null,
    });
    this.#bounds = rng.chance(0.4)
      ? {
          home: bound(),
          credentials: rng.chance(0.5) ? { glm: bound() } : {},
          reserveTokens: RESERVE,
          prices: {},
          timezone: 'UTC',
        }
      : null;
  }

  /** What the controller is told; with the last fault everything is allowed, so that the work can come to its end. */
  get rules(): BudgetRules {
    const none = { home: NOTHING, credentials: {}, reserveTokens: RESERVE, prices: {}, timezone: 'UTC' };
    return this.#bounds === null || this.#lifted ? none : this.#bounds;
  }

  lift(): void {
    this.#lifted = true;
  }

  /** Some projects bound what they may use, and some each of their tasks. @param rng a source of its own. */
  withBounds(projects: readonly ProjectConfig[], rng: Rng): ProjectConfig[] {
    return projects.map((project) => {
      const total = { tokens: rng.between(4000, 30_000), usd: null };
      const day = rng.chance(0.5) ? { tokens: rng.between(3000, 12_000), usd: null } : null;
      const budget = rng.chance(0.2) ? { budget: { day, total: rng.chance(0.7) ? total : null } } : {};
      const task = { tokens: rng.between(1000, 5000), usd: null };
      return { ...project, ...budget, ...(rng.chance(0.2) ? { taskBudget: task } : {}) };
    });
  }

  /** As its file says now: with the last fault without bounds. */
  configOf({ budget, taskBudget, ...config }: ProjectConfig): ProjectConfig {
    if (this.#lifted) return config;
    return {
      ...config,
      ...(budget === undefined ? {} : { budget }),
      ...(taskBudget === undefined ? {} : { taskBudget }),
    };
  }

  /** A store was put back: it counts what its events say. */
  recount(events: readonly NewEvent[]): void {
    this.#charges.clear();
    for (const event of events) {
      const charge = chargeOf(event);
      if (charge !== null) this.#charges.set(charge.token, charge);
      this.#settle(event);
    }
  }

  withLimits(tasks: readonly TaskSpec[]): TaskSpec[] {
    return tasks.map((task) =>
      this.#bounds !== null && this.#rng.chance(0.3)
        ? { ...task, budgetTokens: this.#rng.between(500, 3000) }
        : task,
    );
  }

  /** The end of an attempt as its node tells it, with what its agent told of tokens. */
  billed({ limitTokens }: { readonly limitTokens?: number }, outcome: Outcome): Outcome {
    const { kind } = outcome;
    if (this.#bounds === null || (kind !== 'done' && kind !== 'refused' && kind !== 'failed')) return outcome;
    if (this.#rng.chance(0.3)) return outcome;
    const tokens = this.#rng.between(0, 3000);
    const usage = { inputTokens: tokens, outputTokens: null, cachedTokens: null, costUsd: null };
    if (kind === 'refused' && limitTokens !== undefined && tokens > limitTokens) {
      const { rounds, head } = outcome;
      return { kind: 'overspent', limitTokens, rounds, head, usage };
    }
    return { ...outcome, usage };
  }

  /** An attempt that a bound holds for starts only where there is room for what it reserves. */
  durableViolations({ projects }: State, events: readonly NewEvent[]): string[] {
    const found: string[] = [];
    for (const event of events) {
      const charge = chargeOf(event);
      if (charge !== null) {
        const isUnreserved = charge.reserved === null;
        found.push(...this.#overdrawn(charge, dayOf(event), { isUnreserved, projects }));
        this.#charges.set(charge.token, charge);
      }
      this.#settle(event);
    }
    return found;
  }

  /** The first word on how it ended is what counts. */
  #settle(event: NewEvent): void {
    const { fact } = event;
    if (fact.type !== 'attempt.ended' && fact.type !== 'attempt.fenced') return;
    const charge = this.#charges.get(fact.token);
    if (charge === undefined || charge.used !== null) return;
    const tokens = fact.type === 'attempt.ended' ? usedBy(fact.outcome, charge) : (charge.reserved ?? 0);
    charge.used = { tokens, day: dayOf(event) };
  }

  #overdrawn(
    next: Charge,
    day: number,
    { isUnreserved, projects }: { isUnreserved: boolean; projects: State['projects'] },
  ): string[] {
    const { home, credentials } = this.rules;
    const name = projectOfKey(next.task);
    const { budget = NOTHING, taskBudget: total = null } = projects.get(name)?.config ?? {};
    const places: [string, Bounds, (charge: Charge) => boolean][] = [
      ['home', home, () => true],
      [
        'glm',
        (next.credential === 'glm' ? credentials.glm : null) ?? NOTHING,
        (it) => it.credential === 'glm',
      ],
      [`project ${name}`, budget, (it) => projectOfKey(it.task) === name],
      [`task ${next.task}`, { day: null, total }, (it) => it.task === next.task],
    ];
    return places.flatMap(([place, { day: ofDay, total: ofAll }, counts]) => {
      const found: string[] = [];
      if (ofDay === null && ofAll === null) return [];
      const own = [...this.#charges.values()].filter(counts);
      const held = own.reduce(
        (sum, { used, reserved }) => sum + (used === null ? (reserved ?? 0) : 0),
        next.reserved ?? 0,
      );
      const spent = (of: number | null): number =>
        own.reduce(
          (sum, { used }) => sum + (used !== null && (of === null || used.day === of) ? used.tokens : 0),
          0,
        );
      for (const [limit, sum] of [
        [ofDay?.tokens, spent(day)],
        [ofAll?.tokens, spent(null)],
      ] as const) {
        if (limit == null) continue;
        if (isUnreserved) found.push(`${next.token}: starts under a budget and reserves nothing`);
        if (sum + held > limit)
          found.push(`${next.token}: overdraws ${place}: ${sum} used, ${held} held, of ${limit}`);
      }
      return found;
    });
  }
}

function dayOf({ at }: NewEvent): number {
  return Math.floor(at / DAY_MS);
}

/** What a claim of work holds; null for any other fact. */
function chargeOf({ fact }: NewEvent): Charge | null {
  if (fact.type !== 'attempt.claimed' || fact.work.kind !== 'work') return null;
  const { token, task, reserved, credential = null } = fact;
  return {
    token,
    task,
    credential,
    reserved: reserved === undefined ? null : (reserved.tokens ?? 0),
    used: null,
  };
}

function usedBy(outcome: Outcome, { reserved }: Charge): number {
  if (outcome.kind === 'failed' && outcome.cause === 'prepare') return 0;
  const usage = 'usage' in outcome ? outcome.usage : null;
  return usage?.inputTokens ?? reserved ?? 0;
}
