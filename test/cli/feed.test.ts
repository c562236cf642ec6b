import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dispatch, makeHome, PROJECT_YAML, specText } from './dispatch.ts';

test('feed says what went and what stays and why, and with --watch goes on until Ctrl-C', {
  timeout: 120_000,
}, async () => {
  const home = makeHome({
    'specs/app/project.yaml': PROJECT_YAML,
    'specs/app/pending/A.md': specText('A', { depends_on: '[B]' }),
    'specs/app/pending/B.md': specText('B', { nonsense: '1' }),
    'specs/app/pending/C.md': specText('C'),
  });
  const pending = join(home, 'specs/app/pending');
  const once = await dispatch(['feed', 'app'], { cwd: home });
  expect({ code: once.code, stdout: once.stdout }).toEqual({
    code: 3,
    stdout: expect.stringContaining('queued  C'),
  });
  expect(once.stdout).toContain('--> specs/app/pending/B.md:6:1');
  expect(once.stdout).toContain('"B" is pending and cannot go yet');
  expect(once.stderr).toContain('Next: dispatch start app');
  expect(readdirSync(pending).sort()).toEqual(['A.md', 'A.md.problems', 'B.md', 'B.md.problems']);

  let mended = false;
  const watched = await dispatch(['feed', 'app', '--watch'], {
    cwd: home,
    onError: (stderr) => {
      if (!mended && stderr.includes('watching')) writeFileSync(join(pending, 'B.md'), specText('B'));
      mended ||= stderr.includes('watching');
      return null;
    },
    onOutput: (stdout) => (stdout.includes('queued  A') ? 'SIGINT' : null),
  });
  expect(watched.code).toBe(0);
  expect(readdirSync(pending)).toEqual([]);
  expect(existsSync(join(home, 'specs/app/B.md'))).toBe(true);
  const nothing = await dispatch(['feed', 'app', '-o', 'json'], { cwd: home });
  expect(JSON.parse(nothing.stdout).data).toEqual({
    project: 'app',
    moved: [],
    held: [],
    unsettled: [],
    taken: false,
  });
  expect((await dispatch(['feed', 'ap'], { cwd: home })).code).toBe(5);
});
