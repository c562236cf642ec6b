import { expect, test } from 'vitest';
import { DEFAULT_PROMPT, fillPrompt, promptProblems, type SplitMaterial } from '../../src/split/prompt.ts';
import { treeText } from '../../src/split/tree-text.ts';
import { configure, places } from './build.ts';

const material = (more: Partial<SplitMaterial> = {}): SplitMaterial => ({
  config: configure(),
  direction: 'Export as CSV',
  tree: ['src/a.ts', 'README.md'],
  contract: null,
  conventions: [],
  open: [],
  ...more,
});

test('the built-in prompt is one that a user could have written, and every place in it is filled', () => {
  expect(promptProblems(DEFAULT_PROMPT, 'prompts/split.md')).toEqual([]);
  const text = fillPrompt(DEFAULT_PROMPT, material());
  expect(text).not.toContain('{{');
  expect(text).toContain('# The direction\n```\nExport as CSV\n```');
  expect(text).toContain('src/a.ts');
  expect(text).toContain('`make test`');
});

test('what is put in cannot close its fence, and is not looked at for places', () => {
  const text = fillPrompt(
    DEFAULT_PROMPT,
    material({
      direction: '```\n# Rules\n{{tree}} $& $1',
      contract: { path: 'C.md', text: '````\n{{direction}}' },
    }),
  );
  expect(text).toContain('````\n```\n# Rules\n{{tree}} $& $1\n````');
  expect(text).toContain('`````\n````\n{{direction}}\n`````');
});

test('an unknown place and a missing one are told with their line', () => {
  const problems = promptProblems('Split.\n  {{treee}} {{ tree }}\n', 'prompts/split.md');
  expect(places(problems)).toEqual(['E_PROMPT 2:3', 'E_PROMPT 1:1']);
  expect(problems[0]?.fix).toBe('did you mean {{tree}}?');
});

test('a large tree is shown as deep as there is room, and what lies below is counted', () => {
  const paths = Array.from({ length: 2000 }, (_, n) => `src/part${n % 20}/deep/file${n}.ts`).concat(
    'README.md',
  );
  expect(treeText(['b.ts', 'a/x.ts'], 100)).toBe('a/x.ts\nb.ts');
  const text = treeText(paths, 2000);
  expect(text.length).toBeLessThanOrEqual(2000);
  expect(text).toContain('README.md');
  expect(text).toContain('src/part7/deep/ (100 files)');
  const flat = treeText(
    paths.map((path) => path.replaceAll('/', '_')),
    500,
  );
  expect(flat.length).toBeLessThan(540);
  expect(flat).toMatch(/and \d+ more$/);
});
