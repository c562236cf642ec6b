import fc from '../property.ts';
import { expect, test } from 'vitest';
import { codes, configure, read, spec } from './check.ts';

declare global {
  var ranFrontMatter: boolean | undefined;
}

test.each(['js', 'javascript', 'coffee', 'json', 'toml', ' js ', 'JS', '__proto__', 'constructor'])(
  'front matter in %s is refused and never run',
  (language) => {
    const { problems } = read(
      `---${language}\n{ task_id: globalThis.ranFrontMatter = true }\n---\n## Acceptance\nok\n`,
    );
    expect(problems.length).toBeGreaterThan(0);
    expect(globalThis.ranFrontMatter).toBeUndefined();
  },
);

test.each([
  ['no front matter', '# Title\n', 'E_SPEC_NO_FRONT_MATTER'],
  ['nothing', '', 'E_SPEC_NO_FRONT_MATTER'],
  ['an unclosed one', '---\ntask_id: S01\n', 'E_SPEC_NO_FRONT_MATTER'],
  ['a longer fence', '----\ntask_id: S01\n----\n', 'E_SPEC_NO_FRONT_MATTER'],
  ['a fence that goes on', '---\ntask_id: S01\n---- x\n---\n', 'E_SPEC_NO_FRONT_MATTER'],
  ['a huge front matter', `---\n# ${'x'.repeat(20_000)}\n---\n`, 'E_SPEC_TOO_LARGE'],
  ['blank lines without end', `---\n${'\n'.repeat(200_000)}---\n`, 'E_SPEC_TOO_LARGE'],
  ['a huge body', `${spec()}${'x'.repeat(300_000)}`, 'E_SPEC_TOO_LARGE'],
  ['a NUL', spec('verify: a\0b'), 'E_SPEC_ENCODING'],
  [
    'an alias bomb',
    `---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\n---\n`,
    'E_SPEC_TOO_DEEP',
  ],
  ['an anchor in itself', '---\na: &a [*a]\n---\n', 'E_SPEC_TOO_DEEP'],
  ['brackets without end', `---\na: ${'['.repeat(15_000)}\n---\n`, 'E_SPEC_TOO_DEEP'],
  ['braces without end', `---\na: ${'{b: '.repeat(3000)}\n---\n`, 'E_SPEC_TOO_DEEP'],
  ['lists in lists', `---\n${'- '.repeat(5000)}a\n---\n`, 'E_SPEC_TOO_DEEP'],
  [
    'maps in maps',
    `---\n${Array.from({ length: 170 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}\n---\n`,
    'E_SPEC_TOO_DEEP',
  ],
  ['a glob without quotes', '---\nmodifies: [**/*.py]\n---\n', 'E_SPEC_SYNTAX'],
  ['a tag', '---\ntask_id: !!js/function x\n---\n', 'E_SPEC_SYNTAX'],
  ['a lone alias with a bang', '---\ntask_id: *!\n---\n', 'E_SPEC_SYNTAX'],
  ['a list for a key', '---\n? [a]\n: b\n---\n', 'E_SPEC_SYNTAX'],
  ['a tab', '---\na:\n\t- b\n---\n', 'E_SPEC_SYNTAX'],
  ['a text', '---\njust words\n---\n', 'E_SPEC_TYPE'],
  ['a list', '---\n- a\n---\n', 'E_SPEC_TYPE'],
  ['a prototype', spec('__proto__: { task_id: S02 }'), 'E_SPEC_UNKNOWN_KEY'],
])('%s is a problem with a place', (_, text, code) => {
  const { problems, spec: task } = read(text);
  expect(codes(problems), JSON.stringify(problems)).toContain(code);
  expect(task).toBeNull();
  for (const { line, col } of problems) expect(Math.min(line, col)).toBeGreaterThan(0);
});

test('a glob without quotes is told from an alias', () => {
  expect(read('---\nmodifies: [**/*.py]\n---\n').problems[0]?.fix).toContain('quote');
});

test('no text whatever makes the reader throw', () => {
  const word = fc.constantFrom(
    '---',
    '\n',
    ':',
    ' ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '!',
    '!!',
    '|',
    '>',
    '?',
    '"',
    "'",
    '#',
    '\t',
    '\r\n',
    'task_id',
    'modifies',
    'S01',
    '\u2028',
    '\ud800',
    '0',
    '<<',
    '%',
    '@',
    ',',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const text = words.join('');
      for (const candidate of [text, `---\n${text}\n---\n## Acceptance\nok\n`]) {
        const { problems, spec: task } = read(candidate);
        expect(task === null).toBe(problems.some(({ severity }) => severity === 'error'));
      }
      const { problems, config } = configure(text);
      expect(config === null).toBe(problems.some(({ severity }) => severity === 'error'));
    }),
    { numRuns: 1500 },
  );
});
