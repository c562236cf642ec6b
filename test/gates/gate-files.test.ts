import { describe, expect, test } from 'vitest';
import { filesNamedBy, recipesOf, scriptsOf } from '../../src/gates/gate-files.ts';

const named = (text: string, all = true): string[] => filesNamedBy(text, all).map(({ path }) => path);

describe('files that a command runs', () => {
  test.each<[string, string[]]>([
    ['./run.sh test', ['run.sh', 'test']],
    ['CI=1 sh scripts/check.sh && node tools/lint.mjs', ['scripts/check.sh', 'tools/lint.mjs']],
    ['cd backend && ./check.sh', ['backend/check.sh']],
    ['bash -c "./inner.sh; python3 tools/t.py"', ['inner.sh', 'tools/t.py']],
    ['make -C sub test', ['sub/GNUmakefile', 'sub/makefile', 'sub/Makefile', 'sub', 'test']],
    ['npm test', ['package.json', 'test']],
    ['vitest run --config=ci/vitest.config.ts', ['run', 'ci/vitest.config.ts']],
    ['$RUNNER /usr/bin/env ../outside.sh', []],
    ['test -f src/a.ts && [ -f src/b.ts ] && ./c.sh', ['c.sh']],
    ['if ./a.sh; then ./b.sh; fi # ./c.sh', ['a.sh', 'b.sh']],
  ])('of %j', (command, files) => {
    expect(named(command)).toEqual(files);
  });

  test('inside of a script only what is run counts, not every word', () => {
    expect(named('echo src/main.ts\n. lib/env.sh\n./bin/test src/a.ts -c jest.ci.js', false)).toEqual([
      'lib/env.sh',
      'bin/test',
      'jest.ci.js',
    ]);
  });

  test('make would take a GNUmakefile before the Makefile, so one that is new counts as well', () => {
    expect(filesNamedBy('make test', true)).toContainEqual({ path: 'GNUmakefile', shadows: true });
  });

  test('recipes and scripts are read as shell', () => {
    expect(named(recipesOf('VAR = x\ntest: src/a.c\n\t@./scripts/t.sh $(VAR)\n'), false)).toEqual([
      'scripts/t.sh',
    ]);
    expect(named(scriptsOf('{"scripts":{"test":"node test/run.js"}}'), false)).toEqual(['test/run.js']);
    expect(scriptsOf('not json')).toBe('');
  });
});
