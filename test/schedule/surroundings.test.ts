/** What a claim is held against by the watch of production, whatever the scheduler thought when it made it. */
import { expect, test } from 'vitest';
import type { BudgetRules } from '../../src/model/budget.ts';
import type { Fact, NewEvent } from '../../src/model/event.ts';
import { tokenFrom } from '../../src/model/ids.ts';
import { violations, watch } from '../../src/model/invariants.ts';
import { surroundings, surroundingsAnew } from '../../src/schedule/surroundings.ts';
import { config, key, node, World } from './world.ts';

const RULES: BudgetRules = {
  home: { day: null, total: null },
  credentials: { glm: { day: null, total: { tokens: 1000, usd: null } } },
  reserveTokens: 600,
  prices: {},
  timezone: 'UTC',
};
const GLM = {
  name: 'glm',
  kind: 'claude' as const,
  command: ['run'],
  env: {},
  secrets: {},
  model: null,
  pool: [{ name: 'glm', maxInFlight: 1, secrets: null }],
};

function claim(id: string, number: number): Fact {
  return {
    type: 'attempt.claimed',
    token: tokenFrom(new Uint8Array(16).fill(number)),
    task: key('p', id),
    n: 1,
    work: { kind: 'work' },
    node: node('n1').name,
    base: null,
    credential: 'glm',
    reserved: { tokens: 600, usd: null },
  };
}

test('a second attempt beyond the slots, the bound of its key, its budget and over a lock that is held is named', () => {
  const world = new World().node('n1').project('p');
  world.record({ type: 'project.configured', config: config('p', { executors: { glm: GLM } }) });
  world.add('p', 'A', { executor: 'glm', modifies: ['src/**'] });
  world.add('p', 'B', { executor: 'glm', modifies: ['src/b.ts'] });
  const { state } = world;
  const look = watch(
    state,
    surroundings(() => ({ nodes: [node('n1', { slots: 1 })], budget: RULES })),
  );
  const tell = (fact: Fact): string[] => {
    world.record(fact);
    return look([{ fact } as NewEvent]);
  };
  expect(tell(claim('A', 1))).toEqual([]);
  expect(tell(claim('B', 2))).toEqual([
    'n1: 2 attempts in 1 slots',
    'glm: 2 attempts at once, 1 allowed',
    'p/B and p/A: both hold locks that meet',
    `${'02'.repeat(16)}: overdraws the credential glm: 0 tokens used, 1200 held, of 1000`,
  ]);
  expect(violations(state, surroundingsAnew(state))).toEqual([
    'p/A and p/B: both hold locks that meet',
    'p/B and p/A: both hold locks that meet',
  ]);
});
