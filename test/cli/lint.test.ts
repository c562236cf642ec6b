import { expect, test } from 'vitest';
import { dispatch, hasEscapes, makeHome, PROJECT_YAML, specText } from './dispatch.ts';

test('lint scores what is still to run, pending specs too, the most doubtful first, with the lines', async () => {
  const vague = specText('S02', { modifies: '["**"]' });
  const home = makeHome({
    'specs/app/project.yaml': PROJECT_YAML,
    'specs/app/S01.md': `${specText('S01').replace('- It works.', '- `ls` prints a')}\n## Don't\n- Touch b.\n`,
    'specs/app/pending/S02.md': vague,
  });
  const { code, stdout } = await dispatch(['lint', 'app'], { cwd: home });
  expect(code).toBe(0);
  expect(stdout).toMatch(/45\tS02\t[^\n]*\n100\tS01/u);
  expect(stdout).toContain('--> specs/app/pending/S02.md:3:13');
  expect(hasEscapes(stdout)).toBe(false);
  const json = await dispatch(['lint', 'app', '--least', '60', '-o', 'json'], { cwd: home });
  expect(json.code).toBe(3);
  expect(JSON.parse(json.stdout).data).toMatchObject([
    { task: 'S02', score: 45 },
    { task: 'S01', score: 100 },
  ]);
  expect((await dispatch(['lint', 'apq'], { cwd: home })).code).toBe(5);
});
