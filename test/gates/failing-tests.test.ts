import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failingTests } from '../../src/gates/failing-tests.ts';

describe('the tests that failed', () => {
  // Texts as the runners print them.
  test.each<[string, string, string[]]>([
    [
      'pytest',
      'FAILED test/test_a.py::test_b[x-1] - assert 1 == 2\n1 failed in 0.1s',
      ['test/test_a.py::test_b[x-1]'],
    ],
    [
      'vitest',
      ' FAIL  test/a.test.ts > suite > adds up\nAssertionError: x',
      ['test/a.test.ts > suite > adds up'],
    ],
    ['vitest in colours', '\u001b[41m FAIL \u001b[49m a.test.ts > adds up', ['a.test.ts > adds up']],
    ['jest', '  ● suite › adds up\n\n    expect(received)', ['suite › adds up']],
    ['go test', '--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\nFAIL', ['TestA', 'TestA/x']],
    ['cargo test', 'test tests::a ... FAILED\ntest tests::b ... ok', ['tests::a']],
    ['unittest', 'FAIL: test_a (test_m.TestC.test_a)\n-----', ['test_a (test_m.TestC.test_a)']],
    ['TAP', '1..2\nok 1 - a\nnot ok 2 - b # time=1ms\n', ['b']],
    ['no runner', 'make: *** [Makefile:3: test] Error 1', []],
    ['a green run', '3 passed in 0.1s', []],
  ])('by %s', (_, output, names) => {
    expect(failingTests(output)).toEqual(names);
  });

  test('by node --test itself, in both of its reporters', () => {
    const dir = mkdtempSync(join(tmpdir(), 'dispatch-failing-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'a.test.mjs');
    writeFileSync(
      file,
      `import { test } from 'node:test';\ntest('goes well', () => {});\ntest('goes wrong', () => { throw new Error('x'); });\n`,
    );
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    for (const reporter of ['spec', 'tap']) {
      const { stdout } = spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, file], {
        encoding: 'utf8',
        env,
      });
      expect(failingTests(stdout)).toContain('goes wrong');
      expect(failingTests(stdout)).not.toContain('goes well');
    }
  });

  test('are kept in a bounded number and length, each once', () => {
    const lines = Array.from({ length: 100 }, (_, at) => `not ok ${at + 1} - ${'x'.repeat(300)}${at}`);
    expect(failingTests(lines.join('\n'))).toEqual(['x'.repeat(200)]);
    const many = Array.from({ length: 100 }, (_, at) => `not ok ${at + 1} - t${at}`);
    expect(failingTests(many.join('\n'))).toHaveLength(20);
  });
});
