import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/model/error.ts';
import { checkProject } from '../../src/spec/check-project.ts';
import { codes, read, spec } from './check.ts';

function check(specs: readonly string[][], base: readonly string[] | null = null): Problem[] {
  const parsed = specs.map((lines, i) => read(spec(...lines), undefined, `specs/clawmarketing/${i}.md`));
  return checkProject(parsed, base === null ? null : new Set(base));
}

test('two specs with one id, and two that differ by case', () => {
  const problems = check([['task_id: S01'], ['task_id: S01'], ['task_id: s01']]);
  expect(problems).toMatchObject([
    {
      code: 'E_SPEC_DUPLICATE_ID',
      file: 'specs/clawmarketing/1.md',
      line: 3,
      message: expect.stringContaining('0.md') as string,
    },
    { code: 'E_SPEC_CASE_TWIN', file: 'specs/clawmarketing/2.md' },
  ]);
});

test('an unknown dependency comes with the nearest id', () => {
  const problems = check([
    ['task_id: S01-schema'],
    ['task_id: S02', 'depends_on: [S01-shema, s02x, zzzzzz]'],
  ]);
  expect(codes(problems)).toEqual(Array(3).fill('E_SPEC_UNKNOWN_DEPENDENCY'));
  expect(problems[0]).toMatchObject({ line: 4, col: 14, fix: 'did you mean "S01-schema"?' });
  expect(problems[2]?.fix).not.toContain('mean');
});

test('who depends on a file that cannot be parsed is not blamed for it', () => {
  const broken = read('---\ntask_id: S01\nmodifies: [\n---\n');
  const dependent = read(spec('task_id: S02', 'depends_on: [S01]'));
  expect(checkProject([broken, dependent], null)).toEqual([]);
});

test('a cycle is printed in full', () => {
  const problems = check([
    ['task_id: S01', 'depends_on: [S03]'],
    ['task_id: S02', 'depends_on: [S01]'],
    ['task_id: S03', 'depends_on: [S02]'],
    ['task_id: S04', 'depends_on: [S04]'],
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    'the tasks wait for each other: S01 -> S03 -> S02 -> S01',
    'the task waits for itself: S04 -> S04',
  ]);
  expect(problems[0]).toMatchObject({ file: 'specs/clawmarketing/0.md', line: 4, col: 14 });
});

test('a dependency listed twice is a warning, and counts once', () => {
  expect(check([['task_id: A'], ['task_id: B', 'depends_on: [A, A]']])).toMatchObject([
    { code: 'E_SPEC_DUPLICATE_DEPENDENCY', severity: 'warning', col: 17 },
  ]);
  expect(read(spec('depends_on: [A, A]')).spec?.dependsOn).toEqual(['A']);
});

describe('paths', () => {
  const base = ['README.md', 'backend/schemas/post.py', 'backend/api/router.py', 'tests/test_a.py'];
  const one = (pattern: string, other = 'README.md'): Problem[] =>
    check(
      [[`modifies: [${JSON.stringify(pattern)}]`], ['task_id: S02', `modifies: [${JSON.stringify(other)}]`]],
      base,
    );

  test.each([
    'backend/schemas/post.py',
    'backend/schemas/new.py',
    'new.py',
    'backend/**',
    'tests/*.py',
    '**/*.py',
    '*.md',
    'backend/{api,schemas}/x.py',
  ])('%s is known', (pattern) => {
    expect(one(pattern)).toEqual([]);
  });

  test.each([
    ['backend/shcemas/post.py', 'backend/schemas/post.py'],
    ['backend/schmas/**', 'backend/schemas'],
    ['bakend/api/x.py', 'backend/api'],
    ['app/router.py', 'backend/api/router.py'],
    ['backend/{api,schmeas}/x.py', 'backend/schemas'],
  ])('%s is a warning with the nearest one', (pattern, near) => {
    const [problem, more] = one(pattern);
    expect(problem).toMatchObject({ code: 'E_SPEC_UNKNOWN_PATH', severity: 'warning', line: 3, col: 12 });
    expect(problem?.fix).toContain(`"${near}"`);
    expect(more).toBeUndefined();
  });

  test('a folder that another spec makes is known', () => {
    expect(one('web/pages/a.tsx', 'web/pages/b.tsx')).toEqual([]);
    expect(one('web/pages/a.tsx', 'web/')).toMatchObject([{ file: 'specs/clawmarketing/0.md' }]);
  });

  test('a folder without its slash is an error', () => {
    expect(one('backend/schemas')).toMatchObject([
      {
        code: 'E_SPEC_MODIFIES_FOLDER',
        severity: 'error',
        fix: 'write "backend/schemas/" for everything below it',
      },
    ]);
  });

  test('nothing is held against paths while the base is not known or empty', () => {
    expect(check([['modifies: [no/such/thing]']], null)).toEqual([]);
    expect(check([['modifies: [no/such/thing]']], [])).toEqual([]);
  });
});
