import { expect, test } from 'vitest';
import { lint } from '../../src/spec/lint.ts';
import { read } from './check.ts';

interface Parts {
  readonly front?: readonly string[];
  readonly goal?: string;
  readonly acceptance?: string;
  readonly dont?: string | null;
}

function doubts({
  front = [],
  goal = 'Do it.',
  acceptance = '- `make x` prints 1',
  dont = '- x',
}: Parts): string[] {
  const usual = ['task_id: S01', 'modifies: ["src/a.ts", "test/a.test.ts"]'];
  const keys = usual.filter((line) => !front.some((own) => own.startsWith(line.split(':')[0] ?? '')));
  const last = dont === null ? '' : `## Don't\n${dont}\n`;
  const text = `---\n${[...keys, ...front].join('\n')}\n---\n## Goal\n${goal}\n## Acceptance\n${acceptance}\n${last}`;
  const { spec, problems } = read(text);
  if (spec === null) throw new Error(JSON.stringify(problems));
  return lint(spec, text).map(({ code, line }) => `${code.replace('E_LINT_', '')} ${line}`);
}

test('a spec that a careful person would write raises no doubt', () => {
  expect(
    doubts({
      goal: 'Write unit tests for the parser.',
      acceptance: '- test/a.test.ts covers each error\n- `make test` passes\n- works with 10 users',
      dont: '- Do not change src/b.ts\n- Nothing outside src/a.ts\n- No new dependency',
    }),
  ).toEqual([]);
  expect(doubts({ acceptance: '- 登录失败时返回 401\n- 新增的测试通过', dont: '- 不要改接口' })).toEqual([]);
  expect(doubts({ front: ['modifies: ["src/api/**", "tests/**"]'], acceptance: '- add a test' })).toEqual([]);
});

test.each<[string, Parts, string[]]>([
  ['a vague criterion', { acceptance: '- `a` is 1\n- it works properly' }, ['UNTESTABLE 9']],
  ['a vague criterion in Chinese', { acceptance: '- 页面合理' }, ['UNTESTABLE 8']],
  ['criteria without anything to observe', { acceptance: '- users are happy' }, ['UNTESTABLE 8']],
  ['the whole repository', { front: ['modifies: ["**/*.ts"]'] }, ['WIDE 3']],
  ['a top-level folder', { front: ['modifies: ["src/"]'] }, ['WIDE 3']],
  ['tests that it may not write', { front: ['modifies: ["src/a.ts"]'], goal: 'Add a test.' }, ['NO_TESTS 6']],
  [
    'the same in Chinese',
    { front: ['modifies: ["src/a.ts"]'], acceptance: '- 补充单元测试' },
    ['NO_TESTS 8'],
  ],
  ['a path that is forbidden and claimed', { dont: '- Do not touch `src/a.ts`.' }, ['CONTRADICTION 10']],
  ['a test outside of modifies', { acceptance: '- add test/b.test.ts, a new test' }, ['CONTRADICTION 8']],
  [
    'tests asked for and forbidden',
    { goal: 'x', acceptance: '- add a test', dont: '- do not write tests' },
    ['CONTRADICTION 10'],
  ],
  ['no don’ts', { dont: null }, ['NO_DONTS 1']],
  ['empty don’ts', { dont: '' }, ['NO_DONTS 1']],
  ['an estimate of an hour', { front: ['estimate: 1h'] }, ['LARGE 4']],
  [
    'nine criteria',
    { acceptance: Array.from({ length: 9 }, (_, n) => `- \`x\` is ${n}`).join('\n') },
    ['LARGE 8'],
  ],
])('%s is a doubt, and has its line', (_, parts, expected) => {
  expect(doubts(parts)).toEqual(expected);
});
