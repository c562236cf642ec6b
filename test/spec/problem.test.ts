import { readFileSync } from 'node:fs';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { CODES } from '../../src/model/codes/index.ts';
import { SPEC_CODES } from '../../src/model/codes/spec.ts';
import type { Problem } from '../../src/model/error.ts';
import { editorSchemas } from '../../src/spec/editor-schemas.ts';
import { editDistance, nearest } from '../../src/spec/nearest.ts';
import { renderProblem } from '../../src/spec/problem.ts';

const problem: Problem = {
  code: 'E_SPEC_UNKNOWN_KEY',
  severity: 'error',
  file: 'specs/clawmarketing/S01.md',
  line: 3,
  col: 1,
  message: 'unknown key "depend_on"',
  fix: 'did you mean "depends_on"?',
};

test('a problem is shown with its line and a mark', () => {
  expect(renderProblem(problem, '---\ntask_id: S01\ndepend_on: [S01]\r\n---\n')).toBe(
    [
      'error[E_SPEC_UNKNOWN_KEY]: unknown key "depend_on"',
      '  --> specs/clawmarketing/S01.md:3:1',
      '    3 | depend_on: [S01]',
      '      | ^ did you mean "depends_on"?',
    ].join('\n'),
  );
});

test('without the text there is still everything to act on', () => {
  const shown = renderProblem({ ...problem, severity: 'warning', expected: 'a', got: 'b' });
  expect(shown).toContain('warning[E_SPEC_UNKNOWN_KEY]');
  expect(shown).toContain('fix: did you mean "depends_on"?');
  expect(shown).toContain('expected: a');
  expect(shown).toContain('got: b');
  expect(renderProblem({ ...problem, line: 99 }, 'one line')).toContain('fix:');
});

test('the mark stands under its column, also after wide characters and in long lines', () => {
  const at = (line: string, col: number): [string, string] => {
    const rows = renderProblem({ ...problem, line: 1, col, fix: '' }, line).split('\n');
    return [rows[2] ?? '', rows[3] ?? ''];
  };
  const [wide, wideMark] = at('目标: x', 5);
  expect(stringWidth(wide.slice(0, wide.indexOf('x')))).toBe(wideMark.indexOf('^'));
  const [long, longMark] = at(`${'a'.repeat(5000)}!${'b'.repeat(5000)}`, 5001);
  expect(long[longMark.indexOf('^')]).toBe('!');
  expect(long.length).toBeLessThan(130);
});

test('nothing in a file reaches the terminal as a command', () => {
  const shown = renderProblem(
    { ...problem, line: 1, message: 'a\u001b[2J', file: 'a\nb', got: '\u202e', fix: '\u0007' },
    'x\u001b]0;t\u0007\u009b1m',
  );
  // oxlint-disable-next-line no-control-regex -- what must not be there
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('the nearest word is near', () => {
  expect(nearest('depend_on', ['modifies', 'depends_on'])).toBe('depends_on');
  expect(nearest('s01', ['S01', 'S02'])).toBe('S01');
  expect(nearest('xyz', ['modifies'])).toBeNull();
  expect(nearest('x', [])).toBeNull();
  expect(editDistance('abcd', 'abdc', 9)).toBe(1);
  expect(editDistance('kitten', 'sitting', 9)).toBe(3);
});

test('each code explains itself', () => {
  for (const [code, { title, explain }] of Object.entries(SPEC_CODES)) {
    expect(CODES).toHaveProperty(code);
    expect(title.length).toBeGreaterThan(5);
    expect(explain.length, code).toBeGreaterThan(30);
  }
});

test('the schemas for editors are current', () => {
  for (const [name, schema] of Object.entries(editorSchemas())) {
    expect(
      readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8'),
      'run: npx tsx scripts/schemas.ts',
    ).toBe(schema);
  }
});
