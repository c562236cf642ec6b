import { describe, expect, test } from 'vitest';
import type { TaskSpec } from '../../src/model/spec.ts';
import { codes, places, read, spec } from './check.ts';

const CHINESE = `---
task_id: S01-schedule-schema
project: clawmarketing
priority: 1
depends_on: []
modifies: ["backend/schemas/post.py", "tests/schemas/**"]
executor: glm
verify: ./run.sh test
timeout: 30m
retries: 3
review: false
budget: { tokens: 400000 }
---

## 目标

给 PostSchedule 增加 Pydantic 模型。

## 约束

- 只改 schemas 目录
- 不引入新依赖

## 验收标准

- [ ] \`./run.sh test\` 通过
- [ ] 过去的时间会被拒绝

## 不要做

- 不要改数据库
`;

const ENGLISH = `---
task_id: S01-schedule-schema
project: clawmarketing
priority: 1
depends_on: []
modifies: ["backend/schemas/post.py", "tests/schemas/**"]
executor: glm
verify: ./run.sh test
timeout: 30m
retries: 3
review: false
budget: { tokens: 400000 }
---

## Goal

Add a Pydantic model for PostSchedule.

## Constraints

- schemas only

## Acceptance

- [ ] \`./run.sh test\` passes

## Don't

- touch the database
`;

function comparable({ title: _title, digest: _digest, file: _file, ...rest }: TaskSpec): object {
  return rest;
}

test('the Chinese example is read as it stands', () => {
  const { spec: task, problems } = read(CHINESE);
  expect(problems).toEqual([]);
  expect(task).toMatchObject({
    project: 'clawmarketing',
    id: 'S01-schedule-schema',
    title: '给 PostSchedule 增加 Pydantic 模型。',
    priority: 1,
    dependsOn: [],
    modifies: ['backend/schemas/post.py', 'tests/schemas/**'],
    executor: 'glm',
    verify: './run.sh test',
    timeoutMs: 1_800_000,
    retries: 3,
    review: false,
    budgetTokens: 400_000,
    estimateMs: null,
    file: 'specs/clawmarketing/S01.md',
  });
  expect(task?.digest).toMatch(/^[0-9a-f]{64}$/);
});

test('its English twin is the same task', () => {
  const chinese = read(CHINESE).spec;
  const english = read(ENGLISH).spec;
  if (chinese === null || english === null) throw new Error('both must be valid');
  expect(comparable(english)).toEqual(comparable(chinese));
});

test('a byte order mark and Windows line ends change nothing but the digest', () => {
  const plain = read(CHINESE).spec;
  const windows = read(`\ufeff${CHINESE.replaceAll('\n', '\r\n')}`).spec;
  expect({ ...windows, digest: plain?.digest }).toEqual(plain);
});

test('places are the same with Windows line ends', () => {
  const text = spec('depend_on: [S02]', 'priority: 9');
  expect(places(read(text.replaceAll('\n', '\r\n')).problems)).toEqual(places(read(text).problems));
});

describe('defaults', () => {
  test('come from project.yaml where the spec is silent', () => {
    const project =
      'repo: ../app\nverify: make check\nexecutor: glm\ntimeout: 1h\nretries: 5\nreview: p0\nbudget: { tokens: 7 }\n';
    expect(read(spec(), project).spec).toMatchObject({
      executor: 'glm',
      verify: 'make check',
      timeoutMs: 3_600_000,
      retries: 5,
      review: false,
      budgetTokens: 7,
      priority: 2,
    });
  });

  test('a spec may ask for more review than the policy, never for less', () => {
    expect(read(spec('priority: 0', 'review: false'), 'repo: x\nverify: v\nreview: p0\n').spec?.review).toBe(
      true,
    );
    expect(read(spec('review: false'), 'repo: x\nverify: v\nreview: always\n').spec?.review).toBe(true);
    expect(read(spec('review: true')).spec?.review).toBe(true);
  });

  test('without a repository neither modifies nor verify is needed', () => {
    const text = '---\ntask_id: S01\n---\n## Acceptance\nok\n';
    expect(read(text, 'executor: claude\n').spec).toMatchObject({ modifies: [], verify: null, title: 'S01' });
    expect(codes(read(text, 'repo: ../app\n').problems)).toEqual(['E_SPEC_NO_MODIFIES', 'E_SPEC_NO_VERIFY']);
  });
});

test.each([
  ['task_id: 012', '012'],
  ['task_id: no', 'no'],
  ['task_id: 2026-02-12', '2026-02-12'],
  ['task_id: 1e3', '1e3'],
  ['task_id: 0x1F', '0x1F'],
  ['task_id: true', 'true'],
])('%s stays the text it is', (line, id) => {
  expect(read(spec(line)).spec?.id).toBe(id);
});

test('numbers in lists of texts stay texts', () => {
  expect(read(spec('depends_on: [007, 1.0]')).spec?.dependsOn).toEqual(['007', '1.0']);
});

describe('what is wrong is said with its place and the way out', () => {
  test.each([
    ['depend_on: [S02]', 'E_SPEC_UNKNOWN_KEY 4:1', 'depends_on'],
    ['priority: high', 'E_SPEC_TYPE 4:11', undefined],
    ['priority: P0', 'E_SPEC_TYPE 4:11', 'write 0'],
    ['priority: 4', 'E_SPEC_VALUE 4:11', undefined],
    ['depends_on: S02', 'E_SPEC_TYPE 4:13', '["S02"]'],
    ['review: yes', 'E_SPEC_TYPE 4:9', 'write true'],
    ['retries: -1', 'E_SPEC_VALUE 4:10', undefined],
    ['timeout: soon', 'E_SPEC_VALUE 4:10', undefined],
    ['timeout: 30d', 'E_SPEC_VALUE 4:10', undefined],
    ['budget: { token: 5 }', 'E_SPEC_UNKNOWN_KEY 4:11', 'tokens'],
    ['executor: cluade', 'E_SPEC_UNKNOWN_EXECUTOR 4:11', 'claude'],
    ['project: clawmarketin', 'E_SPEC_PROJECT_NAME 4:10', 'clawmarketing'],
    ['verify: "  "', 'E_SPEC_NO_VERIFY 4:9', undefined],
    ['verify: make test || true', 'E_SPEC_VERIFY_ALWAYS_PASSES 4:9', undefined],
    ['priority: 1\npriority: 2', 'E_SPEC_DUPLICATE_KEY 5:1', undefined],
    ['priority: [1', 'E_SPEC_SYNTAX', undefined],
    ['executor:', 'E_SPEC_MISSING_KEY 4:10', undefined],
  ])('%j', (lines, place, fix) => {
    const { problems } = read(spec(lines));
    const found = problems.find(({ code, line, col }) => `${code} ${line}:${col}`.startsWith(place));
    expect(found, JSON.stringify(problems)).toBeDefined();
    if (fix !== undefined) expect(found?.fix).toContain(fix);
  });

  test.each(['/etc/passwd', '../up', 'a/../../b', '.git/hooks/x', 'src\\a', '@(a)', '', '!x'])(
    'modifies %j',
    (pattern) => {
      const { problems, spec: task } = read(spec(`modifies: ["ok", ${JSON.stringify(pattern)}]`));
      expect(places(problems)).toEqual(['E_SPEC_MODIFIES 3:18']);
      expect(task).toBeNull();
    },
  );

  test('no modifies at all', () => {
    expect(places(read(spec('modifies: []')).problems)).toEqual(['E_SPEC_NO_MODIFIES 3:11']);
    expect(codes(read(spec('modifies:')).problems)).toEqual(['E_SPEC_NO_MODIFIES']);
  });

  test('an id that cannot name a branch', () => {
    for (const id of ['-x', 'a/b', 'a b', '..', 'a..b', 'x.lock', '中', 'a'.repeat(65), '$(id)']) {
      expect(codes(read(spec(`task_id: "${id}"`)).problems), id).toEqual(['E_SPEC_NAME']);
    }
  });

  test('no id', () => {
    const { problems } = read('---\nmodifies: [a]\n---\n## Acceptance\nok');
    expect(problems).toMatchObject([
      { code: 'E_SPEC_MISSING_KEY', message: '`task_id` is missing', line: 1 },
    ]);
  });

  test('no acceptance section, or an empty one', () => {
    const front = '---\ntask_id: S01\nmodifies: [a]\n---\n';
    expect(places(read(`${front}## Goal\nx\n`).problems)).toEqual(['E_SPEC_NO_ACCEPTANCE 6:1']);
    expect(places(read(`${front}## Acceptance\n\n## Don't\nx\n`).problems)).toEqual([
      'E_SPEC_NO_ACCEPTANCE 5:1',
    ]);
    expect(codes(read(`${front}\`\`\`\n## Acceptance\nx\n\`\`\`\n`).problems)).toEqual([
      'E_SPEC_NO_ACCEPTANCE',
    ]);
  });

  test('everything at once', () => {
    const text =
      '---\ntask_id: a b\nproject: other\npriority: x\nmodifie: [a]\nexecutor: nope\nverify: ""\n---\n## Goal\nx\n';
    expect(codes(read(text, 'repo: ../app\n').problems).toSorted()).toEqual([
      'E_SPEC_NAME',
      'E_SPEC_NO_ACCEPTANCE',
      'E_SPEC_NO_MODIFIES',
      'E_SPEC_NO_VERIFY',
      'E_SPEC_PROJECT_NAME',
      'E_SPEC_TYPE',
      'E_SPEC_UNKNOWN_EXECUTOR',
      'E_SPEC_UNKNOWN_KEY',
    ]);
  });
});

test('only blank front matter, or only comments, is a spec that lacks everything', () => {
  for (const inside of ['', '\n', '# nothing here\n']) {
    expect(codes(read(`---\n${inside}---\n## Acceptance\nok\n`).problems)).toContain('E_SPEC_MISSING_KEY');
  }
});

test('a broken file is broken every time it is read', () => {
  const text = '---\ntask_id: [\n---\n';
  expect(read(text).problems).toEqual(read(text).problems);
  expect(read(text).problems.length).toBeGreaterThan(0);
});
