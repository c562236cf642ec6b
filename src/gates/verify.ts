/**
 * What the exit of a verify command means. Red is the work's fault and goes back to the agent; broken is nobody's: a
 * missing program, a kill or a deadline says nothing about the work, and must neither merge it nor refuse it.
 */
import type { Finding } from '../model/attempt.ts';
import { shorten } from './shorten.ts';

/** How the verify command ended. `signal` is set when a signal ended it; `timedOut` when its deadline did. */
export interface VerifyExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

export interface VerifyVerdict {
  readonly verdict: 'green' | 'red' | 'broken';
  readonly findings: Finding[];
  /** The command's output, shortened for a person or an agent. */
  readonly output: string;
}

/** Bytes of output that a verdict keeps. */
export const VERIFY_OUTPUT_BYTES = 16 * 1024;

/** Judges a finished verify command. A shell reports a child's signal as 128 + its number; that is a signal too. */
export function verifyVerdict(exit: VerifyExit, output: string): VerifyVerdict {
  const shortened = shorten(output, VERIFY_OUTPUT_BYTES);
  if (exit.code === 0 && exit.signal === null && !exit.timedOut) {
    return { verdict: 'green', findings: [], output: shortened };
  }
  const broken = brokenBecause(exit);
  const finding = broken ?? {
    gate: 'verify',
    path: null,
    line: null,
    message: `the verify command ended with exit code ${exit.code}`,
    fix: 'Make the verify command pass: fix the code, not the check. Its output says what failed.',
  };
  return { verdict: broken === null ? 'red' : 'broken', findings: [finding], output: shortened };
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
