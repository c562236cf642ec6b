import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import { planMarkdown } from '../../src/plan/markdown.ts';
import { overlap } from '../../src/plan/overlap.ts';
import { buildPlan, lockPatterns } from '../../src/plan/plan.ts';
import { aConfig, aSpec } from './specs.ts';

const MINUTE = 60_000;

/** The scheduling feature of the example: schema, service, router, auth, tests, integration. */
const feature = [
  aSpec('S01', { modifies: ['backend/schemas/post.py'] }),
  aSpec('S02', { modifies: ['backend/services/scheduler.py'] }),
  aSpec('S03', { dependsOn: ['S01', 'S02'], modifies: ['backend/api/**'] }),
  aSpec('S04', { dependsOn: ['S01'], modifies: ['backend/api/auth.py'] }),
  aSpec('S08', { dependsOn: ['S03', 'S04'], modifies: ['tests/integration/'] }),
];

describe('the plan of a feature', () => {
  const plan = buildPlan(aConfig(), feature);

  test('puts each task in the wave after its last dependency', () => {
    expect(plan.waves.map(({ tasks }) => tasks)).toEqual([['S01', 'S02'], ['S03', 'S04'], ['S08']]);
  });

  test('names the critical path and the longest chain from each task', () => {
    expect(plan.critical).toEqual({ tasks: ['S01', 'S03', 'S08'], ms: 45 * MINUTE });
    expect(Object.fromEntries(plan.chainMs)).toEqual({
      S01: 45 * MINUTE,
      S02: 45 * MINUTE,
      S03: 30 * MINUTE,
      S04: 30 * MINUTE,
      S08: 15 * MINUTE,
    });
  });

  test('names the pairs that hold each other up, with a path', () => {
    expect(plan.conflicts.pairs).toEqual([{ a: 'S03', b: 'S04', path: 'backend/api/auth.py' }]);
    expect(plan.waves[1]?.together).toHaveLength(1);
  });

  test('says what can run at once', () => {
    expect(plan.widest).toEqual({ wave: 1, tasks: ['S01', 'S02'] });
  });

  test('is written as Markdown', () => {
    const markdown = planMarkdown(plan);
    expect(markdown).toContain('5 tasks in 3 waves');
    expect(markdown).toContain('`S01` → `S03` → `S08`: 45m 00s');
    expect(markdown).toContain('| `S03` | `S04` | `backend/api/auth.py` |');
    expect(markdown).toContain('Most run at once in wave 1: `S01`, `S02`.');
  });
});

test('estimates decide the critical path', () => {
  const plan = buildPlan(aConfig(), [
    aSpec('A', { estimateMs: 100 * MINUTE }),
    aSpec('B'),
    aSpec('C', { dependsOn: ['B'] }),
  ]);
  expect(plan.critical).toEqual({ tasks: ['A'], ms: 100 * MINUTE });
  expect(plan.workMs).toBe(130 * MINUTE);
  expect(plan.guessed).toBe(2);
});

test('tasks on a cycle and behind it are in no wave, and the cycle is named', () => {
  const plan = buildPlan(aConfig(), [
    aSpec('A', { dependsOn: ['B'] }),
    aSpec('B', { dependsOn: ['A'] }),
    aSpec('C', { dependsOn: ['B'] }),
    aSpec('D'),
  ]);
  expect(plan.cycles).toEqual([['A', 'B']]);
  expect(plan.waves.map(({ tasks }) => tasks)).toEqual([['D']]);
  expect(planMarkdown(plan)).toContain('`A` → `B` → `A`');
});

test('tasks of which one waits for the other are no conflict, over any number of steps', () => {
  const plan = buildPlan(aConfig(), [
    aSpec('A', { modifies: ['x'] }),
    aSpec('B', { dependsOn: ['A'] }),
    aSpec('C', { dependsOn: ['B'], modifies: ['x'] }),
    aSpec('D', { modifies: ['X'] }),
  ]);
  expect(plan.conflicts.pairs.map(({ a, b }) => [a, b])).toEqual([
    ['A', 'D'],
    ['C', 'D'],
  ]);
});

test('a plan without specs is a plan', () => {
  expect(planMarkdown(buildPlan(aConfig(), []))).toContain('0 tasks');
});

describe('shared paths', () => {
  const config = aConfig({
    sharedPaths: ['package.json', 'package-lock.json', 'db/migrations/**', 'web/package.json'],
  });
  const locks = (...modifies: string[]): readonly string[] => lockPatterns(aSpec('S', { modifies }), config);

  test('a task that can touch a shared path locks the whole entry', () => {
    expect(locks('db/migrations/001.sql')).toContain('db/migrations/**');
    expect(locks('**/*.sql')).toContain('db/migrations/**');
  });

  test('files of one folder lock together, because a manifest brings its lockfile along', () => {
    expect(locks('package.json')).toContain('package-lock.json');
    expect(locks('package.json')).not.toContain('web/package.json');
    expect(locks('Package.JSON')).toContain('package-lock.json');
  });

  test('a task that can touch none locks its own paths only', () => {
    expect(locks('src/a.ts')).toEqual(['src/a.ts']);
  });

  test('what a task may ask for is locked like what it claims', () => {
    expect(lockPatterns(aSpec('S', { modifies: ['src/a.ts'], expands: ['docs/**'] }), config)).toEqual([
      'src/a.ts',
      'docs/**',
    ]);
    expect(lockPatterns(aSpec('S', { modifies: ['src/a.ts'], expands: ['package.json'] }), config)).toContain(
      'package-lock.json',
    );
  });

  test('two tasks with different migrations conflict, though neither declares what the other does', () => {
    const plan = buildPlan(config, [
      aSpec('A', { modifies: ['db/migrations/001.sql'] }),
      aSpec('B', { modifies: ['db/migrations/002.sql'] }),
    ]);
    expect(plan.conflicts.count).toBe(1);
    expect(plan.widest.tasks).toHaveLength(1);
  });
});

describe('risks', () => {
  test('a glob over the whole repository is one', () => {
    const plan = buildPlan(aConfig(), [aSpec('A', { modifies: ['**/*.ts'] }), aSpec('B')]);
    expect(plan.risks).toEqual([{ kind: 'wide-lock', task: 'A', pattern: '**/*.ts', holdsUp: 1 }]);
  });

  test('a long chain, many dependents and many dependencies are', () => {
    const chain = Array.from({ length: 7 }, (_, i) =>
      aSpec(`C${i}`, i === 0 ? {} : { dependsOn: [`C${i - 1}`] }),
    );
    const leaves = Array.from({ length: 9 }, (_, i) => aSpec(`L${i}`, { dependsOn: ['C0'] }));
    const last = aSpec('Z', { dependsOn: leaves.map(({ id }) => id) });
    const plan = buildPlan(aConfig(), [...chain, ...leaves, last]);
    expect(plan.risks.map(({ kind }) => kind)).toEqual(['long-chain', 'fan-out', 'fan-in']);
    expect(planMarkdown(plan)).toContain('`Z` waits for 9 tasks');
  });
});

test('what a spec contains cannot break out of the Markdown', () => {
  const plan = buildPlan(aConfig(), [aSpec('A', { title: '<img src=x> | [a](b) `c`', modifies: ['a`|b'] })]);
  const row = planMarkdown(plan)
    .split('\n')
    .find((line) => line.startsWith('| `A`'));
  expect(row).toBe('| `A` | \\<img src=x\\> \\| \\[a\\](b) \\`c\\` | P2 |  | ``a`\\|b`` |  |');
});

test('in every plan dependencies lie in earlier waves and nothing that runs together meets', () => {
  const graph = fc.array(
    fc.tuple(fc.array(fc.nat(30), { maxLength: 3 }), fc.array(fc.nat(6), { minLength: 1, maxLength: 2 })),
    { maxLength: 25 },
  );
  fc.assert(
    fc.property(graph, (tasks) => {
      const specs = tasks.map(([needs, files], i) =>
        aSpec(`T${i}`, {
          dependsOn: [...new Set(needs.filter((n) => n < i))].map((n) => `T${n}`),
          modifies: files.map((file) => (file === 6 ? 'src/**' : `src/f${file}.ts`)),
        }),
      );
      const plan = buildPlan(aConfig(), specs);
      const waveOf = new Map(
        plan.waves.flatMap(({ number, tasks: ids }) => ids.map((id) => [id, number] as const)),
      );
      expect(waveOf.size).toBe(specs.length);
      for (const { id, dependsOn } of specs) {
        for (const needed of dependsOn) expect(waveOf.get(needed) ?? 99).toBeLessThan(waveOf.get(id) ?? 0);
        expect(plan.chainMs.get(id)).toBeLessThanOrEqual(plan.critical.ms);
      }
      for (const { together } of plan.waves) {
        for (const a of together) {
          for (const b of together) {
            const meet = plan.specs
              .get(a)
              ?.modifies.some((x) => plan.specs.get(b)?.modifies.some((y) => overlap(x, y) !== null));
            expect(a !== b && meet === true).toBe(false);
          }
        }
      }
      expect(plan.critical.tasks.length * 15 * MINUTE).toBe(plan.critical.ms);
    }),
    { numRuns: 150 },
  );
});
