import fc from '../property.ts';
import { isDisjointWith, JS, NFA } from 'refa';
import { expect, test } from 'vitest';
import { matches } from '../../src/plan/match.ts';
import { overlap } from '../../src/plan/overlap.ts';
import { ALL_PATHS, glob } from './globs.ts';

test('no path that two patterns share is ever missed, and the example belongs to both', () => {
  fc.assert(
    fc.property(glob, glob, (a, b) => {
      const path = overlap(a, b);
      const shared = ALL_PATHS.find((candidate) => matches(a, candidate) && matches(b, candidate));
      if (shared !== undefined && path === null) throw new Error(`${a} and ${b} share ${shared}`);
      if (path !== null && !(matches(a, path) && matches(b, path)))
        throw new Error(`${a} and ${b} do not share ${path}`);
      expect(overlap(b, a) === null).toBe(path === null);
    }),
    { numRuns: 2000 },
  );
});

/** Patterns without braces as regular expressions, by rules written apart from the code under test. */
function automaton(pattern: string): NFA {
  const parts = (pattern.endsWith('/') ? `${pattern}**` : pattern)
    .split('/')
    .filter((part, i, all) => part !== '**' || all[i + 1] !== '**');
  const source = parts
    .map((part, i) => {
      const last = i === parts.length - 1;
      if (part === '**') return last ? '[^\\/]+(?:\\/[^\\/]+)*' : '(?:[^\\/]+\\/)*';
      const name =
        part === '*'
          ? '[^\\/]+'
          : part
              .replaceAll('.', '\\.')
              .replaceAll('[^', '[^\\/')
              .replaceAll('?', '[^\\/]')
              .replaceAll('*', '[^\\/]*');
      return name + (last ? '' : '\\/');
    })
    .join('');
  const { expression, maxCharacter } = JS.Parser.fromLiteral({ source, flags: 'u' }).parse();
  return NFA.fromRegex(expression, { maxCharacter });
}

test('it agrees with the intersection of finite automata, also on paths of any length', () => {
  const plain = glob.filter((pattern) => !pattern.includes('{'));
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      expect(overlap(a, b) === null).toBe(isDisjointWith(automaton(a), automaton(b)));
    }),
    { numRuns: 1500 },
  );
});

test.each([
  ['src/a.ts', 'src/a.ts', true],
  ['src/a.ts', 'src/b.ts', false],
  ['src', 'src/a.ts', false],
  ['src/', 'src/a.ts', true],
  ['README.md', 'Readme.md', true],
  ['Docs/**', 'docs/a.md', true],
  ['src/[A-C]x', 'src/bX', true],
  ['src/[!a]x', 'src/Ax', true],
  ['src/[!0]x', 'src/0x', false],
  ['Caf\u00e9/a', 'cafe\u0301/A', true],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος', true],
  ['a\u200bb', 'ab', true],
  ['stra?e/x', 'straße/x', true],
  ['cafe?', 'cafe\u0301', true],
  ['a/*/c', 'a/b/b/c', false],
  ['*.ts', '*.tsx', false],
  ['test/**/s1-*.ts', 'test/**/s2-*.ts', false],
  ['test/**/s1*.ts', 'test/**/s1-*.ts', true],
  ['../x', 'anything/at/all', true],
])('%j and %j meet: %s', (a, b, expected) => {
  expect(overlap(a, b) !== null).toBe(expected);
  expect(overlap(b, a) !== null).toBe(expected);
});

test('twins are named as one of them is written', () => {
  expect(overlap('README.md', 'Readme.md')).toBe('README.md');
});

test('letters in any case never hide a meeting', () => {
  const word = fc.string({
    unit: fc.constantFrom('k', 'K', '\u212a', 's', 'ſ', 'S', 'ß', 'é', 'É', 'x'),
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(word, (text) => {
      expect(overlap(text, text)).not.toBeNull();
      expect(overlap(text, `[${text}]${'?'.repeat(Array.from(text).length - 1)}`)).not.toBeNull();
      if (text.toLowerCase().length === text.length) expect(overlap(text, text.toLowerCase())).not.toBeNull();
    }),
  );
});
