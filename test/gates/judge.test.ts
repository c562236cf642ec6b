import { describe, expect, test } from 'vitest';
import { judge } from '../../src/gates/judge.ts';
import { change, facts, lines, rules } from './build.ts';

/** A branch with one fault of each kind; without the gate in question it would pass. */
const FAULTS = {
  commit: facts({ commits: 0 }),
  scope: facts({ changed: [change('lib/a.ts')] }),
  content: facts({ changed: [change('src/.git/config', { status: 'A' })] }),
  placeholder: facts({ changed: [change('src/a.ts')], added: lines('src/a.ts', '// TODO: write it') }),
};

describe('the judgement of a branch', () => {
  test('is empty for honest work inside of what the task claims', () => {
    const branch = facts({ changed: [change('src/a.ts')], added: lines('src/a.ts', 'export const a = 1;') });
    expect(judge(branch, rules())).toEqual([]);
  });

  test.each(Object.entries(FAULTS))('finds the fault that only the %s gate sees', (gate, branch) => {
    const findings = judge(branch, rules());
    expect(findings.map((one) => one.gate)).toEqual([gate]);
    expect(findings[0]?.message).toBeTruthy();
    expect(findings[0]?.fix).toBeTruthy();
  });

  test('holds everything at once, so that one round can mend it', () => {
    const branch = facts({
      changed: [
        change('lib/a.ts'),
        change('src/link', { status: 'A', newMode: '120000' }),
        change('src/b.py'),
      ],
      added: lines('src/b.py', 'def f():\n    pass'),
    });
    expect(judge(branch, rules()).map((one) => one.gate)).toEqual(['scope', 'content', 'placeholder']);
  });

  test('refuses commits that cancel each other out', () => {
    expect(judge(facts({ commits: 2 }), rules())[0]?.message).toContain('cancel');
  });

  test('keeps a hundred findings of a gate and counts the rest', () => {
    const changed = Array.from({ length: 250 }, (_, i) => change(`node_modules/x/${i}.js`, { status: 'A' }));
    const findings = judge(facts({ changed }), rules());
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)?.message).toContain('150 more');
  });

  test('is quick for lines that are made to be slow', () => {
    const hostile = [
      ' '.repeat(1900),
      `x ${'('.repeat(1900)}`,
      `function f(${'a,'.repeat(900)}`,
      `// ${'- '.repeat(900)}x`,
      "'\\".repeat(900),
      '`'.repeat(1900),
      `const a = ${'b=>'.repeat(600)}`,
      `  ${'static '.repeat(250)}`,
      '*/'.repeat(900),
      `throw new Error("${'when '.repeat(350)}")`,
    ];
    for (const path of ['src/a.ts', 'src/a.py', 'src/a.rs', 'src/a.java', 'src/a.md', 'src/a.zzz']) {
      const added = hostile
        .flatMap((text) => Array.from({ length: 40 }, () => text))
        .map((text, at) => ({ path, line: at + 1, text }));
      judge(facts({ changed: [change(path)], added }), rules());
    }
  });
});
