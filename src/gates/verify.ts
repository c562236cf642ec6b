/**
 * What the exit of a verify command means. Red is the work's fault and goes back to the agent; broken is nobody's: a
 * missing program, a kill or a deadline says nothing about the work, and must neither merge it nor refuse it. Nor does
 * a success without a test: where a known runner reports that it ran none, nothing was proved.
 */
import type { Finding, TestCounts } from '../model/attempt.ts';
import { shorten } from './shorten.ts';
import { countTests } from './test-count/count.ts';

/** How the verify command ended. `signal` is set when a signal ended it; `timedOut` when its deadline did. */
export interface VerifyExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

export interface TestRule {
  /** Least number of tests that have to run. */
  readonly min: number;
  /** What it is when a known runner ran none: of a task's own work a fault, at the merge nobody's. */
  readonly none: 'red' | 'broken';
}

export interface VerifyVerdict {
  readonly verdict: 'green' | 'red' | 'broken';
  readonly findings: Finding[];
  /** The command's output, shortened for a person or an agent. */
  readonly output: string;
  /** What the runners reported; null when no known one did. */
  readonly tests: TestCounts | null;
}

/** Bytes of output that a verdict keeps. */
export const VERIFY_OUTPUT_BYTES = 16 * 1024;

/** Judges a finished verify command. A shell reports a child's signal as 128 + its number; that is a signal too. */
export function verifyVerdict(exit: VerifyExit, output: string, rule: TestRule = ANY_TEST): VerifyVerdict {
  const shortened = shorten(output, VERIFY_OUTPUT_BYTES);
  const tests = countTests(output);
  if (exit.code === 0 && exit.signal === null && !exit.timedOut) {
    return { ...testVerdict(tests, rule), output: shortened, tests };
  }
  // pytest has an exit code of its own for having found nothing to run.
  if (exit.code === 5 && tests?.ran === 0) return { ...testVerdict(tests, rule), output: shortened, tests };
  const broken = brokenBecause(exit);
  const finding = broken ?? {
    gate: 'verify',
    path: null,
    line: null,
    message: `the verify command ended with exit code ${exit.code}`,
    fix: 'Make the verify command pass: fix the code, not the check. Its output says what failed.',
  };
  return { verdict: broken === null ? 'red' : 'broken', findings: [finding], output: shortened, tests };
}

const ANY_TEST: TestRule = { min: 0, none: 'red' };

/** What a command that ended well is worth. A minimum that no report can meet is a fault of the project, not of the work. */
function testVerdict(tests: TestCounts | null, rule: TestRule): Pick<VerifyVerdict, 'verdict' | 'findings'> {
  if (tests === null) {
    if (rule.min === 0) return { verdict: 'green', findings: [] };
    return {
      verdict: rule.none,
      findings: [tooFew(`reported no tests, where at least ${rule.min} have to run`, REPORT)],
    };
  }
  if (tests.ran === 0) return { verdict: rule.none, findings: [tooFew('ran no test', RUN)] };
  if (tests.ran >= rule.min) return { verdict: 'green', findings: [] };
  const what = `ran ${tests.ran} tests, where at least ${rule.min} have to run`;
  return { verdict: 'red', findings: [tooFew(what, RUN)] };
}

const RUN = 'Make it run the tests: an empty run, or one that leaves tests out, proves nothing.';
const REPORT =
  'Let the command print the report of its test runner: pytest, vitest, jest, mocha, go test, cargo test, node --test, unittest, TAP or JUnit XML.';

function tooFew(what: string, fix: string): Finding {
  return { gate: 'tests', path: null, line: null, message: `the verify command ${what}`, fix };
}

function brokenBecause(exit: VerifyExit): Finding | null {
  if (exit.timedOut)
    return finding('did not end within its time limit', 'Raise the limit or make it faster.');
  if (exit.signal !== null) return finding(`was ended by ${exit.signal}`, MACHINE);
  if (exit.code === null) return finding('left no exit code', MACHINE);
  if (exit.code === 127) return finding('was not found (exit code 127)', INSTALL);
  if (exit.code === 126) return finding('could not be executed (exit code 126)', INSTALL);
  if (exit.code > 128 && exit.code <= 128 + LAST_SIGNAL) {
    return finding(`was ended by signal ${exit.code - 128} (exit code ${exit.code})`, MACHINE);
  }
  return null;
}

/** Highest signal number on Linux; 255 is a plain failure that many programs use. */
const LAST_SIGNAL = 64;
const MACHINE = 'Look at the node: memory, disk, or a person who ended it. Then run the gate again.';
const INSTALL = 'Check `verify` in the spec or project.yaml, and that its program is installed on the node.';

function finding(what: string, fix: string): Finding {
  return { gate: 'verify', path: null, line: null, message: `the verify command ${what}`, fix };
}
