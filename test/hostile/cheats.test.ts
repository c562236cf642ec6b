/**
 * Ways to a green check without the work. What a branch shows is judged from its facts; what only shows when the
 * command runs is run for real, on a clean checkout, and its verdict and its counted tests are what a gate decides by.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shrinkage } from '../../src/gates/test-count/shrinkage.ts';
import { verifyVerdict, type VerifyVerdict } from '../../src/gates/verify.ts';
import type { CommitId } from '../../src/model/ids.ts';
import { Fixture, type Files } from './fixture.ts';
import { manifest, PROJECT, PY_TESTS, VERIFY } from './project.ts';

interface Seen {
  readonly is: 'refused' | 'parked';
  readonly why: RegExp;
  readonly files: Files;
  readonly verify?: string;
}

const PYTHON = 'python3 -m unittest tests/test_words.py';

/** Caught from what the branch changed. */
const SEEN: Readonly<Record<string, Seen>> = {
  'the test script always passes': {
    is: 'parked',
    why: /run\.sh was changed, and it is run by the verify command/,
    files: { 'run.sh': { mode: '100755', text: '#!/bin/sh\nexit 0\n' } },
  },
  'a script behind the test script always passes': {
    is: 'parked',
    why: /scripts\/check\.sh was changed, and it is run/,
    files: { 'scripts/check.sh': 'exit 0\n' },
  },
  'the test script is gone': { is: 'parked', why: /run\.sh was deleted/, files: { 'run.sh': null } },
  'the recipe always passes': {
    is: 'parked',
    why: /Makefile was changed, and it is run/,
    files: { Makefile: 'test:\n\ttrue\n' },
    verify: 'make test',
  },
  'another makefile is taken first': {
    is: 'parked',
    why: /GNUmakefile was added, and it is run/,
    files: { GNUmakefile: 'test:\n\ttrue\n' },
    verify: 'make test',
  },
  'npm runs something else': {
    is: 'parked',
    why: /scripts\.test/,
    files: { 'package.json': manifest({ test: 'exit 0' }) },
    verify: 'npm test',
  },
  'the runner passes without tests': {
    is: 'parked',
    why: /scripts\.test/,
    files: { 'package.json': manifest({ test: 'vitest run --passWithNoTests' }) },
  },
  'a script runs before the tests': {
    is: 'parked',
    why: /scripts\.pretest/,
    files: { 'package.json': manifest({ test: 'node --test', pretest: 'rm -r test' }) },
  },
  'the runner leaves tests out': {
    is: 'parked',
    why: /vitest\.config/,
    files: { 'vitest.config.ts': 'export default { test: { exclude: ["**"] } };\n' },
  },
  'a plug-in of the runner turns red into green': {
    is: 'parked',
    why: /conftest\.py/,
    files: { 'tests/conftest.py': 'def pytest_sessionfinish(session):\n    session.exitstatus = 0\n' },
  },
  'the runner is told to ignore tests': {
    is: 'parked',
    why: /pytest\.ini/,
    files: { 'pytest.ini': '[pytest]\naddopts = --ignore=tests\n' },
  },
  'a module stands in for the runner': {
    is: 'parked',
    why: /unittest\.py/,
    files: { 'unittest.py': 'print("Ran 2 tests in 0.001s")\nprint()\nprint("OK")\n' },
  },
  'the interpreter is changed at its start': {
    is: 'parked',
    why: /sitecustomize\.py/,
    files: { 'sitecustomize.py': 'import os\n' },
  },
  'a shell of its own runs the scripts': {
    is: 'parked',
    why: /\.npmrc/,
    files: { '.npmrc': 'script-shell=true\n' },
  },
  'a runner of its own lies among the packages': {
    is: 'parked',
    why: /node_modules/,
    files: { 'node_modules/.bin/vitest': { mode: '100755', text: '#!/bin/sh\nexit 0\n' } },
  },
  'a test without a body': {
    is: 'refused',
    why: /without a body/,
    files: { 'test/new.test.mjs': "import test from 'node:test';\ntest('new', () => {\n});\n" },
  },
  'a test that is only announced': {
    is: 'refused',
    why: /not done/,
    files: { 'test/new.test.mjs': "import test from 'node:test';\ntest.todo('new');\n" },
  },
  'a marker that attributes hide': {
    is: 'refused',
    why: /not done/,
    files: { '.gitattributes': 'src/* -diff\n', 'src/x.mjs': '// TODO: the rest\n' },
  },
};

interface Run {
  readonly why: RegExp;
  readonly verdict: VerifyVerdict['verdict'];
  readonly files: Files;
  readonly verify: string;
  readonly min?: number;
}

const { 'test/math.test.mjs': MATH } = PROJECT as Record<string, string>;
const skipping = (MATH ?? '').replace("test('adds nothing'", "test.skip('adds nothing'");

/** Caught when the command runs. */
const RUN: Readonly<Record<string, Run>> = {
  'a file of tests is deleted': {
    verdict: 'green',
    why: /1 tests ran where 4 ran/,
    files: { 'test/math.test.mjs': null },
    verify: VERIFY,
  },
  'a test is skipped': {
    verdict: 'green',
    why: /1 are skipped where 0 were/,
    files: { 'test/math.test.mjs': skipping },
    verify: VERIFY,
  },
  'a test file ends before its tests': {
    verdict: 'green',
    why: /tests ran where 4 ran/,
    files: { 'test/math.test.mjs': 'process.exit(0);\n' },
    verify: VERIFY,
  },
  'all tests are moved out of sight': {
    verdict: 'broken',
    why: /ran no test/,
    files: { 'test/math.test.mjs': null, 'test/more.test.mjs': null, 'spare/math.mjs': MATH ?? '' },
    verify: VERIFY,
  },
  'a test is skipped by a decorator': {
    verdict: 'green',
    why: /1 are skipped where 0 were/,
    files: {
      'tests/test_words.py': PY_TESTS.replace(
        '    def test_empty',
        '    @unittest.skip("slow")\n    def test_empty',
      ),
    },
    verify: PYTHON,
  },
  'a test is expected to fail': {
    verdict: 'green',
    why: /1 tests ran where 2 ran/,
    files: {
      'tests/test_words.py': PY_TESTS.replace(
        '    def test_empty',
        '    @unittest.expectedFailure\n    def test_empty',
      ).replace('""), "!"', '""), "?"'),
    },
    verify: PYTHON,
  },
  'the tests kill the command': {
    verdict: 'broken',
    why: /ended by SIGKILL/,
    files: { 'test/more.test.mjs': "process.kill(process.ppid, 'SIGKILL');\n" },
    verify: 'exec node --test --test-reporter=tap',
  },
  'fewer tests than the project wants': {
    verdict: 'red',
    why: /ran 1 tests, where at least 4/,
    files: { 'test/math.test.mjs': null },
    verify: VERIFY,
    min: 4,
  },
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await Fixture.create(PROJECT);
});
afterAll(() => fixture.remove());

/** The command on a clean checkout, judged as a gate on a merged tree judges it. */
async function run(head: CommitId, verify: string, min = 0): Promise<VerifyVerdict> {
  const cwd = await fixture.checkout(head);
  // A runner that finds itself inside of another one reports differently.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, signal, stdout, stderr } = spawnSync('/bin/sh', ['-c', verify], {
    cwd,
    encoding: 'utf8',
    env,
  });
  return verifyVerdict({ code: status, signal, timedOut: false }, stdout + stderr, { min, none: 'broken' });
}

describe('a cheat', () => {
  test.each(Object.entries(SEEN))('is seen when %s', async (_, { is, why, files, verify }) => {
    const verdict = await fixture.judge(fixture.branch([files]), {}, verify ?? VERIFY);
    expect(verdict).toEqual({ is, why: expect.stringMatching(why) as string });
  });

  test.each(Object.entries(RUN))('comes out when %s', async (_, { verdict, why, files, verify, min }) => {
    const canary = fixture.canary();
    const before = await run(fixture.base, verify);
    expect(before).toMatchObject({ verdict: 'green', tests: { skipped: 0 } });
    const now = await run(fixture.branch([files]), verify, min);
    expect(now.verdict).toBe(verdict);
    const less =
      before.tests === null || now.tests === null || now.verdict !== 'green'
        ? null
        : shrinkage(before.tests, now.tests);
    const told = [...now.findings, ...(less === null ? [] : [less])].map(({ message }) => message);
    expect(told.join('\n')).toMatch(why);
    expect(fixture.touched()).toEqual([]);
    expect(canary).not.toBe('');
  });

  test('is one of at least twenty', () => {
    expect(Object.keys(SEEN).length + Object.keys(RUN).length).toBeGreaterThanOrEqual(20);
  });
});
