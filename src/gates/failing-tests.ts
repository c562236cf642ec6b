/**
 * Which tests failed, by the names that their runner printed. Only lines that name one test are read; a runner that is
 * not known, or an output whose middle was left out, gives fewer names, never wrong ones by intent. The names serve to
 * tell a flaky test from others, and decide nothing.
 */
import { stripControls } from './shorten.ts';

/** Names kept of one run, and characters of one name. */
const NAMES_KEPT = 20;
const NAME_CHARS = 200;

/** For each runner the line that names a failed test. */
const PATTERNS: readonly RegExp[] = [
  // pytest: `FAILED test/test_a.py::test_b - assert 1 == 2`
  /^(?:FAILED|ERROR) (\S+::\S.*?)(?: - .*)?$/gm,
  // vitest: ` FAIL  test/a.test.ts > suite > name`
  /^ ?FAIL {1,2}(\S+ > .+?)$/gm,
  // jest: `  ● suite › name`
  /^ {2}● (.+ › .+?)$/gm,
  // go test: `--- FAIL: TestA (0.00s)`
  /^\s*--- FAIL: (\S+)/gm,
  // cargo test: `test tests::a ... FAILED`
  /^test (\S+) \.\.\. FAILED$/gm,
  // unittest: `FAIL: test_a (test_m.TestC.test_a)`
  /^(?:FAIL|ERROR): (\S+ \(\S+\))/gm,
  // TAP and node --test: `not ok 3 - name`
  /^\s*not ok \d+ (?:- )?([^#\n]+?)(?: #.*)?$/gm,
  // node --test, spec reporter: `✖ name (1.5ms)`
  /^\s*✖ (.+?) \([\d.]+ms\)$/gm,
];

/** The names in the order of the output, each once. */
export function failingTests(output: string): string[] {
  const text = stripControls(output).replace(LONG_LINE, '$1');
  const found = PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({ at: match.index, name: (match[1] ?? '').trim() })),
  );
  const names = found.toSorted((a, b) => a.at - b.at).map(({ name }) => name.slice(0, NAME_CHARS));
  return [...new Set(names)].filter((name) => name !== '').slice(0, NAMES_KEPT);
}

/** No runner names a test at such length, and an agent's program may print a line that is costly to search. */
const LONG_LINE = /^(.{1000}).+$/gm;
