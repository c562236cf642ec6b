import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import type { Amount, Bounds, BudgetRules } from '../../src/model/budget.ts';
import type { ExecutorDef } from '../../src/model/executor.ts';
import type { TaskSpec } from '../../src/model/spec.ts';
import { BudgetNews } from '../../src/controller/budget-news.ts';
import { Budgets } from '../../src/schedule/budget.ts';
import { ledgerOf } from '../../src/schedule/budget-ledger.ts';
import { decide } from '../../src/schedule/decide.ts';
import type { Decision } from '../../src/schedule/snapshot.ts';
import { reasonOf, why } from '../../src/schedule/why.ts';
import { budgetAlerts } from '../../src/report/budget-alerts.ts';
import { spendingOf } from '../../src/report/spending.ts';
import { config, World } from './world.ts';

const plain = { command: ['run'], env: {}, secrets: {}, model: null };
const EXECUTORS: Readonly<Record<string, ExecutorDef>> = {
  shell: { ...plain, name: 'shell', kind: 'shell' },
  agent: { ...plain, name: 'agent', kind: 'claude', model: 'm-1' },
  free: { ...plain, name: 'free', kind: 'opencode', model: 'nobody-knows' },
  pool: {
    ...plain,
    name: 'pool',
    kind: 'claude',
    model: 'm-1',
    pool: [
      { name: 'a', maxInFlight: null, secrets: null },
      { name: 'b', maxInFlight: null, secrets: null },
    ],
  },
};
const DAY_MS = 86_400_000;
/** A dollar for a million tokens, whatever they are. */
const PRICES = { 'm-1': { input: 1, cached: 0, output: 1 } };

const of = (tokens: number | null, usd: number | null = null): Amount => ({ tokens, usd });
const total = (tokens: number | null, usd: number | null = null): Bounds => ({
  day: null,
  total: of(tokens, usd),
});
const rules = (over: Partial<BudgetRules> = {}): BudgetRules => ({
  home: { day: null, total: null },
  credentials: {},
  reserveTokens: 1000,
  prices: PRICES,
  timezone: 'Asia/Shanghai',
  ...over,
});

function world(budget: Bounds | undefined, tasks = 4, over: Partial<TaskSpec> = {}): World {
  const made = new World().node('n', { slots: 8 }).project('p');
  made.record({
    type: 'project.configured',
    config: config('p', { executors: EXECUTORS, ...(budget === undefined ? {} : { budget }) }),
  });
  for (let i = 0; i < tasks; i++) made.add('p', `T${i}`, { executor: 'agent', ...over });
  made.budget = rules();
  return made;
}

const started = (made: World): Extract<Decision, { start: 'work' }>[] =>
  decide(made.snapshot(), made.now).flatMap((one) => (one.start === 'work' ? [one] : []));

const used = (tokens: number | null, costUsd: number | null = null): Outcome => ({
  kind: 'failed',
  cause: 'executor',
  message: 'ended',
  exitCode: 1,
  rounds: 1,
  usage: tokens === null ? null : { inputTokens: tokens, outputTokens: 0, cachedTokens: null, costUsd },
});

/** Starts the most urgent task and ends its attempt with this use. */
function spend(made: World, outcome: Outcome): void {
  const [first] = started(made);
  if (first === undefined) throw new Error('nothing starts');
  made.end(made.apply(first), outcome);
}

describe('a budget', () => {
  test('is reserved from before an attempt starts, and nothing starts that it leaves no room for', () => {
    const made = world(total(2500));
    expect(started(made).map(({ reserved }) => reserved)).toEqual([of(1000, 0.001), of(1000, 0.001)]);
    for (const decision of made.step()) expect(decision.start).toBe('work');
    expect(started(made)).toEqual([]);
    const blockers = why(made.snapshot(), made.task('p', 'T2'), made.now);
    expect(reasonOf(blockers)).toBe('Budget(p)');
    expect(blockers).toMatchObject([
      { why: 'budget', budgets: [{ of: 'project', limit: 2500, used: 0, reserved: 2000, needs: 1000 }] },
    ]);
  });

  test('that nobody has set changes nothing: attempts carry no reservation', () => {
    const made = world(undefined);
    expect(started(made)).toHaveLength(4);
    expect(started(made)[0]).not.toHaveProperty('reserved');
  });

  test('gets back what an attempt did not use, and counts what it used', () => {
    const made = world(total(2500), 3);
    const [first, second] = made.step().map((one) => one);
    expect([first, second]).toHaveLength(2);
    const [a] = [...made.state.attempts.keys()];
    if (a !== undefined) made.end(a, used(100));
    // 100 used, 1000 held, so one more fits, and then none.
    expect(started(made)).toHaveLength(1);
  });

  test('counts an unknown use as what was reserved for it, and says so; no use is known to be nothing', () => {
    const made = world(total(2100), 3);
    spend(made, used(null));
    const [verdict] = new Budgets(made.snapshot(), made.now).all();
    expect(verdict).toMatchObject({ used: 1000, reserved: 0, unknown: 1 });
    spend(made, used(10));
    const spent = spendingOf(made.state, rules(), { project: null, now: made.now });
    expect(spent.total).toMatchObject({
      tokens: 10,
      unknown: { tokens: 1, usd: 1 },
      counted: { tokens: 1010 },
    });
    // An attempt for which no tree could be made has used nothing.
    spend(made, { ...used(null), cause: 'prepare' } as Outcome);
    expect(new Budgets(made.snapshot(), made.now).all()[0]).toMatchObject({ used: 1010, unknown: 1 });
  });

  test('alerts at 80 %, says that nothing starts when nothing is left, and what to type', () => {
    const made = world({ day: null, total: of(1000) }, 4, { budgetTokens: 200 });
    spend(made, used(790));
    expect(budgetAlerts(made.snapshot(), null, made.now)).toEqual([]);
    spend(made, used(10));
    expect(budgetAlerts(made.snapshot(), null, made.now)).toMatchObject([
      { code: 'E_BUDGET_LOW', level: 'P1', fix: 'dispatch budget raise p --total --tokens 2000' },
    ]);
    // Another bound, as alerts.yaml may say.
    expect(budgetAlerts(made.snapshot(), null, made.now, 0.9)).toEqual([]);
    spend(made, used(300));
    expect(started(made)).toEqual([]);
    expect(budgetAlerts(made.snapshot(), null, made.now)).toMatchObject([
      {
        code: 'E_BUDGET_GONE',
        level: 'P0',
        message: expect.stringContaining('1 100 tokens used of 1 000 tokens (110 %)') as string,
      },
    ]);
  });

  test('for a day is new at midnight in its time zone', () => {
    const made = world({ day: of(1000), total: null });
    // 23:30 in Shanghai.
    made.now = Date.UTC(2026, 10, 20, 15, 30);
    spend(made, used(900));
    expect(started(made)).toEqual([]);
    const end = new Budgets(made.snapshot(), made.now).dayEnd;
    expect(end).toBe(Date.UTC(2026, 10, 20, 16));
    made.now = end ?? 0;
    expect(started(made)).toHaveLength(1);
    made.now += DAY_MS;
    expect(new Budgets(made.snapshot(), made.now).all()[0]).toMatchObject({ used: 0, day: '2026-11-22' });
  });

  test('of the home, of the project and of the key all hold, each for itself', () => {
    const made = world(undefined, 4, { executor: 'pool' });
    made.budget = rules({ credentials: { a: total(1000), b: total(2000) } });
    expect(
      started(made)
        .map(({ credential }) => credential)
        .toSorted(),
    ).toEqual(['a', 'b', 'b']);
    made.budget = rules({ home: total(2500), credentials: { a: total(1000), b: total(2000) } });
    expect(started(made)).toHaveLength(2);
  });

  test('in dollars needs a price: an agent whose cost nobody knows does not start, a shell command does', () => {
    const agent = world({ day: null, total: of(null, 5) }, 1, { executor: 'free' });
    expect(started(agent)).toEqual([]);
    expect(why(agent.snapshot(), agent.task('p', 'T0'), agent.now)).toMatchObject([
      { why: 'budget', budgets: [{ unit: 'usd', needs: null }] },
    ]);
    expect(started(world({ day: null, total: of(null, 5) }, 1, { executor: 'shell' }))).toHaveLength(1);
  });

  test('does not let small tasks take the room that a more urgent one waits for, nor wait for one that never fits', () => {
    const made = world(total(3000), 0);
    made.add('p', 'Running', { executor: 'agent', budgetTokens: 2000, priority: 0 });
    made.step();
    made.add('p', 'Big', { executor: 'agent', budgetTokens: 2500, priority: 0 });
    made.add('p', 'Small', { executor: 'agent', budgetTokens: 500, priority: 3 });
    // No reservation is ever more than the rules' default, unless the spec says so.
    expect(started(made)).toEqual([]);
    made.record({ type: 'task.cancelled', task: made.task('p', 'Big').key, reason: 'test' });
    made.add('p', 'Huge', { executor: 'agent', budgetTokens: 9000, priority: 0 });
    expect(started(made).map(({ task }) => task)).toEqual(['p/Small']);
  });
});

describe('a budget of each task', () => {
  /** T0 is the most urgent; what one task may use is said, what the project may use only if `bounds` says so. */
  function bounded(task: Amount | undefined, over: Partial<TaskSpec> = {}, bounds?: Bounds): World {
    const made = world(undefined, 3, { budgetTokens: 400, ...over });
    allow(made, task, bounds);
    return made;
  }

  function allow(made: World, task: Amount | undefined, bounds?: Bounds): void {
    const said = {
      ...(task === undefined ? {} : { taskBudget: task }),
      ...(bounds === undefined ? {} : { budget: bounds }),
    };
    made.record({
      type: 'project.configured',
      config: config('p', { executors: EXECUTORS, maxAttempts: 20, ...said }),
    });
  }

  /** One attempt of T0 that uses this and fails; it may be tried again at once. */
  function spendOnFirst(made: World, outcome: Outcome): void {
    const first = started(made).find(({ task }) => task === 'p/T0');
    if (first === undefined) throw new Error('T0 does not start');
    made.end(made.apply(first), outcome);
    made.record({ type: 'task.backedoff', task: first.task, notBefore: made.now, reason: 'failed' });
  }

  const names = (made: World): string[] => started(made).map(({ task }) => task);

  test('sums all its attempts, keeps that task alone, and says which and what to type', () => {
    const made = bounded(of(1000));
    spendOnFirst(made, used(300));
    expect(budgetAlerts(made.snapshot(), null, made.now)).toEqual([]);
    spendOnFirst(made, used(null));
    // 300, and 400 reserved by one that told nothing: another 400 do not fit.
    expect(names(made)).toEqual(['p/T1', 'p/T2']);
    const blockers = why(made.snapshot(), made.task('p', 'T0'), made.now);
    expect(reasonOf(blockers)).toBe('Budget(task T0)');
    expect(blockers).toMatchObject([
      {
        why: 'budget',
        budgets: [{ of: 'task', name: 'p/T0', limit: 1000, used: 700, needs: 400, unknown: 1 }],
      },
    ]);
    expect(budgetAlerts(made.snapshot(), null, made.now)).toMatchObject([
      {
        code: 'E_BUDGET_GONE',
        project: 'p',
        message: expect.stringContaining('it starts no more: task p/T0: 700 tokens used') as string,
        fix: 'dispatch budget raise p --task --tokens 2000',
      },
    ]);
    expect(budgetAlerts(made.snapshot(), new Set(), made.now)).toEqual([]);
    allow(made, of(2000));
    expect(names(made)).toEqual(['p/T0', 'p/T1', 'p/T2']);
  });

  test('tells at 80 % and at 100 % once each, and of no task that is final', () => {
    const made = bounded(of(1000), { budgetTokens: 100 });
    const news = new BudgetNews();
    const told = (): (string | null)[] => news.look(made.snapshot(), made.now).map(({ code }) => code);
    spendOnFirst(made, used(799));
    expect(told()).toEqual([]);
    spendOnFirst(made, used(1));
    expect(told()).toEqual(['E_BUDGET_LOW']);
    expect(budgetAlerts(made.snapshot(), null, made.now)).toMatchObject([
      { code: 'E_BUDGET_LOW', cause: 'budget/task/p/T0/tokens/', project: 'p' },
    ]);
    spendOnFirst(made, used(200));
    expect(told()).toEqual(['E_BUDGET_GONE']);
    expect(told()).toEqual([]);
    expect(budgetAlerts(made.snapshot(), null, made.now)).toMatchObject([{ code: 'E_BUDGET_GONE' }]);
    made.record({ type: 'task.cancelled', task: made.task('p', 'T0').key, reason: 'test' });
    expect(budgetAlerts(made.snapshot(), null, made.now)).toEqual([]);
    expect(new BudgetNews().look(made.snapshot(), made.now)).toEqual([]);
  });

  test('holds for what was used before anybody set it, and is summed nowhere else', () => {
    const made = bounded(undefined);
    spendOnFirst(made, used(900));
    expect(ledgerOf(made.state, made.budget).spent('task:p/T0', null)).toMatchObject({ attempts: 0 });
    expect(ledgerOf(made.state, made.budget).tried.size).toBe(0);
    allow(made, of(1000));
    expect(names(made)).toEqual(['p/T1', 'p/T2']);
    expect(ledgerOf(made.state, made.budget).spent('task:p/T0', null)).toMatchObject({ tokens: 900 });
    allow(made, undefined);
    expect(names(made)).toContain('p/T0');
    expect(ledgerOf(made.state, made.budget).tried.size).toBe(0);
  });

  test('leaves the room of the project to others while the task waits', () => {
    const made = bounded(of(1000), {}, total(2000));
    spendOnFirst(made, used(1000));
    made.add('p', 'Urgent', { executor: 'agent', budgetTokens: 400, priority: 0 });
    expect(names(made)).toEqual(['p/Urgent', 'p/T1']);
  });
});

describe('what an attempt is expected to use', () => {
  const expected = (made: World): Amount | undefined => started(made)[0]?.reserved;

  test('is what most of those before it used, of the same executor and size of spec', () => {
    const made = world(total(1_000_000), 12);
    for (const tokens of [100, 300, 200]) spend(made, used(tokens));
    expect(expected(made)).toEqual(of(300, 0.0003));
  });

  test('is its own limit where less is known, and never more than that', () => {
    expect(expected(world(total(1_000_000), 1, { budgetTokens: 700 }))).toEqual(of(700, 0.0007));
    const made = world(total(1_000_000), 12, { budgetTokens: 250 });
    for (const tokens of [400, 400, 400]) spend(made, used(tokens));
    expect(expected(made)?.tokens).toBe(250);
  });

  test('is nothing for a shell command that says nothing of tokens', () => {
    const made = world(total(10), 3, { executor: 'shell' });
    expect(started(made)).toHaveLength(3);
    expect(expected(made)).toEqual(of(0));
  });
});
