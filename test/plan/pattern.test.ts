import { describe, expect, test } from 'vitest';
import { compilePattern, MAX_ALTERNATIVES, patternProblem } from '../../src/plan/pattern.ts';

describe('patterns that are refused say why', () => {
  test.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['C:/x', 'absolute'],
    ['~/x', 'home'],
    ['a/../b', '..'],
    ['..', '..'],
    ['./a', '`.`'],
    ['a//b', 'empty part'],
    ['.git/config', '.git'],
    ['.GIT/config', '.git'],
    ['sub/.git/', '.git'],
    ['.g\u200cit/config', '.git'],
    ['{src,.git}/x', '.git'],
    ['\\.git/x', '.git'],
    ['!src/**', 'negated'],
    ['@(a|b).ts', 'extended glob'],
    ['src/+(a)', 'extended glob'],
    ['a**', '**'],
    ['src/**.ts', '**'],
    ['a***b', '**'],
    ['[abc', ']'],
    ['[]', ']'],
    ['[z-a]', 'backwards'],
    ['[[:alpha:]]', 'named set'],
    ['[a/b]', '/'],
    ['{a,b', '}'],
    ['a}', '{'],
    ['{a}', 'comma'],
    ['{1..3}', 'comma'],
    ['src\\app\\x.ts', 'backslash'],
    ['a\\', 'backslash'],
    ['a\nb', 'control'],
    [' a', 'blank'],
    ['a/{b,}', ''],
    ['x'.repeat(600), 'longer'],
    ['{a,b}'.repeat(8), `${MAX_ALTERNATIVES}`],
  ])('%j', (pattern, words) => {
    const problem = patternProblem(pattern);
    if (pattern === 'a/{b,}') expect(problem).toContain('empty part');
    else expect(problem).toContain(words);
  });
});

test.each([
  'src/a.ts',
  'src/',
  '**',
  '**/*.py',
  'a/**/b',
  'src/(app)/page.tsx',
  'app/\\[slug\\]/page.tsx',
  '{a,b{c,d}}/x',
  '[!a-c]x',
  '[]]',
  '.github/workflows/',
  '.gitignore',
  'a..b',
  '前端/页面.tsx',
  'a b.txt',
  '{**/,}x',
])('%j is a pattern', (pattern) => {
  expect(patternProblem(pattern)).toBeNull();
});

test('text that is no pattern stands for every path, so that a lock on it errs on the safe side', () => {
  expect(compilePattern('../x').exact[0]?.segments).toEqual([{ is: 'deep' }]);
});

test('braces that cannot be counted are refused without being expanded', () => {
  expect(patternProblem('{a,b}'.repeat(100))).toContain('alternatives');
  expect(patternProblem(`${'{a,'.repeat(120)}b${'}'.repeat(120)}`)).toBeNull();
});
