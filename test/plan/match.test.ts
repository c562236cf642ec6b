import fc from '../property.ts';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { compileMatcher, matches } from '../../src/plan/match.ts';
import { ALL_PATHS, glob } from './globs.ts';

const OPTIONS = { dot: true, noextglob: true, strictSlashes: true, nonegate: true };

test('a pattern matches what picomatch says it matches, where both know the grammar', () => {
  fc.assert(
    fc.property(glob, (pattern) => {
      const oracle = picomatch(pattern.endsWith('/') ? `${pattern}**` : pattern, OPTIONS);
      for (const path of ALL_PATHS) {
        if (matches(pattern, path) !== oracle(path))
          throw new Error(`${pattern} and ${path}: picomatch says ${oracle(path)}`);
      }
    }),
    { numRuns: 400 },
  );
});

test.each([
  ['[!a]b', 'cb', true],
  ['[!a]b', 'ab', false],
  ['?.md', '😀.md', true],
  ['??.md', '😀.md', false],
  ['src/(app)/page.tsx', 'src/(app)/page.tsx', true],
  ['src/(app)/page.tsx', 'src/app/page.tsx', false],
  ['app/\\[slug\\]/page.tsx', 'app/[slug]/page.tsx', true],
  ['app/[slug]/page.tsx', 'app/[slug]/page.tsx', false],
  ['a/**', 'a', false],
  ['a/**', 'a/b/c', true],
  ['a/', 'a/b', true],
  ['a/', 'a', false],
  ['**/x', 'x', true],
  ['a/**/b', 'a/b', true],
  ['README.md', 'Readme.md', false],
  ['*', '.env', true],
  ['[]a]', ']', true],
  ['[a\\]]', ']', true],
  ['[.-0]', '.', true],
])('%j on %j: %s', (pattern, path, expected) => {
  expect(matches(pattern, path)).toBe(expected);
});

test('a compiled list matches what any of its patterns matches', () => {
  fc.assert(
    fc.property(fc.array(glob, { maxLength: 4 }), fc.constantFrom(...ALL_PATHS), (patterns, path) => {
      expect(compileMatcher(patterns)(path)).toBe(patterns.some((pattern) => matches(pattern, path)));
    }),
  );
});

test('a pattern and a path made to backtrack are decided like any other', () => {
  expect(matches(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false);
  expect(matches(`${'**/a/'.repeat(60)}b`, 'a/'.repeat(2000))).toBe(false);
});
