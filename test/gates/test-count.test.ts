import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { countTests } from '../../src/gates/test-count/count.ts';
import { shrinkage } from '../../src/gates/test-count/shrinkage.ts';

describe('how many tests ran', () => {
  // Texts as the runners print them.
  test.each<[string, string, number, number]>([
    ['pytest', '===== 1 failed, 3 passed, 2 skipped, 1 warning in 0.12s =====', 4, 2],
    ['pytest -q', '..sx  [100%]\n2 passed, 1 skipped, 1 xfailed in 0.80s', 2, 2],
    ['pytest with a filter', '= 1 passed, 4 deselected in 61.02s (0:01:01) =', 1, 4],
    ['pytest without tests', '============ no tests ran in 0.01s ============', 0, 0],
    ['vitest', ' Test Files  1 passed (1)\n      Tests  1 failed | 3 passed | 1 skipped (5)\n', 4, 1],
    [
      'vitest in colours',
      '\u001b[2m      Tests \u001b[22m \u001b[32m2 passed\u001b[39m\u001b[90m (2)\u001b[39m',
      2,
      0,
    ],
    ['vitest without files', 'No test files found, exiting with code 0', 0, 0],
    ['vitest without tests', '      Tests  no tests', 0, 0],
    ['jest', 'Test Suites: 1 passed, 1 total\nTests:       1 skipped, 1 todo, 2 passed, 4 total', 2, 2],
    ['jest without files', 'No tests found, exiting with code 0', 0, 0],
    ['mocha', '\n  3 passing (5ms)\n  1 pending\n  1 failing\n', 4, 1],
    [
      'go test -v',
      '=== RUN TestA\n--- PASS: TestA (0.00s)\n    --- SKIP: TestA/x (0.00s)\nok  \tm\t0.1s',
      1,
      1,
    ],
    [
      'go test -json',
      '{"Action":"pass","Package":"m","Test":"TestA"}\n{"Action":"pass","Package":"m"}',
      1,
      0,
    ],
    ['go test', 'ok  \tm/a\t0.003s\nok  \tm/b\t0.002s [no tests to run]\n?   \tm/c\t[no test files]', 1, 0],
    [
      'cargo test',
      'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s',
      4,
      3,
    ],
    ['cargo nextest', '     Summary [   0.5s] 10 tests run: 10 passed, 2 skipped', 10, 2],
    ['unittest', '.sx\nRan 3 tests in 0.001s\n\nOK (skipped=1, expected failures=1)', 1, 2],
    ['unittest without tests', 'Ran 0 tests in 0.000s\n\nNO TESTS RAN', 0, 0],
    ['TAP', 'TAP version 13\n1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP later\n    ok 1 - inner\n', 2, 1],
    ['TAP without tests', '1..0 # no tests', 0, 0],
    [
      'JUnit XML',
      '<testsuites><testsuite tests="2"><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite></testsuites>',
      1,
      1,
    ],
    ['two runners in one command', '3 passed in 0.1s\nTests:       2 passed, 2 total\n', 5, 0],
  ])('by %s', (_, output, ran, skipped) => {
    expect(countTests(output)).toEqual({ ran, skipped });
  });

  test.each(['', 'all good', '3 tests were fun', 'ok then', 'Tests are in test/', '1..10 are digits'])(
    'is not known from %j',
    (output) => {
      expect(countTests(output)).toBeNull();
    },
  );

  test('is not guessed from a text with a hole in it, where lines are what is counted', () => {
    const hole = '\n[... 4096 bytes left out ...]\n';
    expect(countTests(`--- PASS: TestA (0.0s)${hole}--- PASS: TestB (0.0s)`)).toBeNull();
    expect(countTests(`ok 1 - a${hole}ok 300 - z\n1..300`)).toEqual({ ran: 300, skipped: 0 });
  });

  test('takes time in proportion to the output, whatever a hostile program prints', () => {
    const nines = '9'.repeat(1_000_000);
    expect(countTests(`Summary [ 1s] 1 tests run: ${nines}`)).not.toBeUndefined();
    expect(countTests(`${'1 a, '.repeat(200_000)}\n${'='.repeat(1_000_000)}`)).toBeNull();
  });
});

describe('what real runners on this machine say', () => {
  const run = (name: string, text: string, command: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'dispatch-count-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, name), text);
    // A runner that finds itself inside of another one reports differently.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', env });
    return stdout + stderr;
  };
  const MJS = `import { test } from 'node:test';
test('a', () => {}); test.skip('b', () => {}); test('c', { todo: true }, () => {});`;

  test.each(['spec', 'tap', 'junit'])('node --test with its %s reporter', (reporter) => {
    const output = run('a.test.mjs', MJS, `node --test --test-reporter=${reporter} a.test.mjs`);
    expect(countTests(output)).toEqual({ ran: 1, skipped: 2 });
  });

  test('unittest', () => {
    const text =
      'import unittest\nclass A(unittest.TestCase):\n  def test_a(self): pass\n  @unittest.skip("x")\n  def test_b(self): pass\n';
    expect(countTests(run('test_a.py', text, 'python3 -m unittest test_a'))).toEqual({ ran: 1, skipped: 1 });
  });
});

describe('a tree that is tested less', () => {
  test('is told with both figures; more tests, or as many, are nothing to say', () => {
    expect(shrinkage({ ran: 12, skipped: 0 }, { ran: 11, skipped: 2 })?.message).toContain(
      '11 tests ran where 12 ran before it, and 2 are skipped where 0 were',
    );
    expect(shrinkage({ ran: 12, skipped: 1 }, { ran: 12, skipped: 1 })).toBeNull();
    expect(shrinkage({ ran: 12, skipped: 1 }, { ran: 14, skipped: 0 })).toBeNull();
  });
});
