/** The project that all branches of the corpora begin from: small, and with one of everything that a gate looks at. */
import type { Files } from './fixture.ts';

const oid = (digit: string): string => digit.repeat(64);

/** A Git LFS pointer. */
export function pointer(digit: string): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid(digit)}\nsize 12345\n`;
}

export function manifest(scripts: Readonly<Record<string, string>>, more: object = {}): string {
  return `${JSON.stringify({ name: 'p', version: '1.0.0', scripts, ...more }, null, 2)}\n`;
}

const MJS_TESTS = `import test from 'node:test';
import assert from 'node:assert';
import { add } from '../src/math.mjs';
test('adds', () => { assert.equal(add(1, 2), 3); });
test('adds nothing', () => { assert.equal(add(1, 0), 1); });
test('adds negatives', () => { assert.equal(add(1, -2), -1); });
`;

export const PY_TESTS = `import unittest
from lib.words import shout


class Words(unittest.TestCase):
    def test_shout(self):
        self.assertEqual(shout("a"), "A!")

    def test_empty(self):
        self.assertEqual(shout(""), "!")
`;

/** What proves a task of this project. */
export const VERIFY = './run.sh test';

export const PROJECT: Files = {
  'README.md': '# p\n\nA project.\n',
  'CLAUDE.md': '# How to work here\n',
  'CHANGELOG.md': '# Changes\n',
  'run.sh': {
    mode: '100755',
    text: '#!/bin/sh\nset -eu\nsh scripts/check.sh\nnode --test --test-reporter=tap\n',
  },
  'scripts/check.sh': '#!/bin/sh\ntest -f src/math.mjs\n',
  Makefile: 'test:\n\tsh scripts/check.sh\n\tnode --test --test-reporter=tap\n',
  'package.json': manifest({ test: 'node --test' }, { dependencies: { left: '1.0.0' } }),
  'src/math.mjs': 'export function add(a, b) {\n  return a + b;\n}\n',
  'src/old.mjs': 'export const old = 1;\n',
  'src/legacy/a.ts': 'export const a = 1;\n',
  'src/app.ts': 'export const app = 1;\n',
  'lib/words.py': 'def shout(text):\n    return text.upper() + "!"\n',
  'test/math.test.mjs': MJS_TESTS,
  'test/more.test.mjs':
    "import test from 'node:test';\ntest('more', () => { if (1 > 2) throw new Error(); });\n",
  'tests/test_words.py': PY_TESTS,
  'docs/guide.md': '# Guide\n',
  'assets/model.bin': pointer('a'),
};
