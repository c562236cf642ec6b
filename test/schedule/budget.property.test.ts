import { expect, test } from 'vitest';
import type { Outcome } from '../../src/model/attempt.ts';
import fc from '../property.ts';
import { config, World } from './world.ts';

const LIMITS = [null, 50, 200, 1000];

/** What an attempt truly uses, as far as its own limit lets it; null: nobody tells. */
const turn = fc.record({
  start: fc.nat({ max: 4 }),
  end: fc.array(fc.record({ which: fc.nat(), used: fc.option(fc.integer({ min: 0, max: 1500 })) }), {
    maxLength: 4,
  }),
});

test('what is used and held exceeds a budget by no more than attempts used beyond what was reserved, within their own limits', () => {
  fc.assert(
    fc.property(
      fc.record({
        limit: fc.integer({ min: 1, max: 5000 }),
        tasks: fc.array(fc.constantFrom(...LIMITS), { minLength: 1, maxLength: 20 }),
        turns: fc.array(turn, { maxLength: 12 }),
      }),
      ({ limit, tasks, turns }) => {
        const budget = { day: null, total: { tokens: limit, usd: null } };
        const executors = {
          agent: { name: 'agent', kind: 'claude', command: ['x'], env: {}, secrets: {}, model: null },
        } as const;
        const world = new World().node('n', { slots: 3 }).project('p');
        world.record({ type: 'project.configured', config: config('p', { budget, executors }) });
        world.budget = {
          home: { day: null, total: null },
          credentials: {},
          reserveTokens: 300,
          prices: {},
          timezone: 'UTC',
        };
        tasks.forEach((budgetTokens, i) => world.add('p', `T${i}`, { executor: 'agent', budgetTokens }));
        let used = 0;
        let beyond = 0;
        for (const { start, end } of turns) {
          for (let i = 0; i < start; i++) world.step();
          const live = [...world.state.attempts.values()].filter(({ phase }) => phase.is === 'claimed');
          const held = live.reduce((sum, { reserved }) => sum + (reserved?.tokens ?? 0), 0);
          expect(used + held).toBeLessThanOrEqual(limit + beyond);
          for (const { which, used: wanted } of end) {
            const attempt = live[which % Math.max(1, live.length)];
            if (attempt?.phase.is !== 'claimed') continue;
            const reserved = attempt.reserved?.tokens ?? 0;
            const own = world.state.tasks.get(attempt.task)?.spec.budgetTokens ?? Number.POSITIVE_INFINITY;
            const tokens = wanted === null ? null : Math.min(wanted, own);
            world.end(attempt.token, outcomeOf(tokens));
            used += tokens ?? reserved;
            beyond += Math.max(0, (tokens ?? reserved) - reserved);
            // Nobody who has a limit exceeds it, and what is reserved is never above it.
            expect(reserved).toBeLessThanOrEqual(own);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('of a bound of each task, what its attempts used and hold exceeds it by no more than they used beyond what was reserved', () => {
  fc.assert(
    fc.property(
      fc.record({
        limit: fc.integer({ min: 1, max: 3000 }),
        uses: fc.array(fc.tuple(fc.nat(), fc.option(fc.integer({ min: 0, max: 900 }))), { maxLength: 25 }),
      }),
      ({ limit, uses }) => {
        const executors = {
          agent: { name: 'agent', kind: 'claude', command: ['x'], env: {}, secrets: {}, model: null },
        } as const;
        const world = new World().node('n', { slots: 3 }).project('p');
        const taskBudget = { tokens: limit, usd: null };
        world.record({
          type: 'project.configured',
          config: config('p', { taskBudget, executors, maxAttempts: 20 }),
        });
        for (let i = 0; i < 3; i++) world.add('p', `T${i}`, { executor: 'agent', budgetTokens: 300 });
        const spent = new Map<string, number>();
        const beyond = new Map<string, number>();
        const add = (sums: Map<string, number>, task: string, more: number): void => {
          sums.set(task, (sums.get(task) ?? 0) + more);
        };
        for (const [which, wanted] of uses) {
          world.step();
          const live = [...world.state.attempts.values()].filter(({ phase }) => phase.is === 'claimed');
          for (const { task, reserved } of live) {
            expect(reserved).toBeDefined();
            const held = reserved?.tokens ?? 0;
            expect((spent.get(task) ?? 0) + held).toBeLessThanOrEqual(limit + (beyond.get(task) ?? 0));
          }
          const attempt = live[which % Math.max(1, live.length)];
          if (attempt === undefined) return;
          const held = attempt.reserved?.tokens ?? 0;
          world.end(attempt.token, outcomeOf(wanted));
          add(spent, attempt.task, wanted ?? held);
          add(beyond, attempt.task, Math.max(0, (wanted ?? held) - held));
          const { task } = attempt;
          world.record({ type: 'task.backedoff', task, notBefore: world.now, reason: 'failed' });
        }
      },
    ),
    { numRuns: 100 },
  );
});

function outcomeOf(tokens: number | null): Outcome {
  const usage =
    tokens === null ? null : { inputTokens: tokens, outputTokens: null, cachedTokens: null, costUsd: null };
  return { kind: 'failed', cause: 'executor', message: 'ended', exitCode: 1, rounds: 1, usage };
}
