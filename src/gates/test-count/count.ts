/**
 * How many tests a command ran, out of what its runner printed. An exit code of 0 is no evidence that anything was
 * tested: a filter that matches nothing, a deleted folder and `--passWithNoTests` all end well. Each runner has a file
 * of its own; a command that uses several is counted by all of them together.
 */
import type { TestCounts } from '../../model/attempt.ts';
import { stripControls } from '../shorten.ts';
import { countCargo } from './cargo.ts';
import { countGo } from './go.ts';
import { countJest } from './jest.ts';
import { countJunit } from './junit.ts';
import { countMocha } from './mocha.ts';
import { countNode } from './node.ts';
import { countPytest } from './pytest.ts';
import { countTap } from './tap.ts';
import { countUnittest } from './unittest.ts';
import { countVitest } from './vitest.ts';

/** What a runner says; null when this text is not its. */
type Counter = (text: string) => TestCounts | null;

const SUMMARIES: readonly Counter[] = [
  countPytest,
  countVitest,
  countJest,
  countCargo,
  countUnittest,
  countMocha,
];

/** The sum over all runners whose report is in the output; null when no known runner reports. */
export function countTests(output: string): TestCounts | null {
  const clean = stripControls(output);
  const text = clean.replace(LONG_LINE, '$1');
  // Of a text with a hole in it, what is counted line by line would tell less than there was.
  const whole = !LEFT_OUT.test(text);
  return [
    ...SUMMARIES.map((count) => count(text)),
    whole ? countGo(text) : null,
    whole ? countJunit(clean) : null,
    // node's own TAP carries a summary, which says more than its lines.
    countNode(text) ?? countTap(text, whole),
  ].reduce(added, null);
}

/** No report has such lines, and an agent's program may print one that is costly to search. */
const LONG_LINE = /^(.{1000}).+$/gm;

/** What `readEnds` writes between the head and the tail of a long output. */
const LEFT_OUT = /^\[\.\.\. \d+ bytes left out \.\.\.\]$/m;

function added(sum: TestCounts | null, next: TestCounts | null): TestCounts | null {
  if (sum === null || next === null) return sum ?? next;
  return { ran: sum.ran + next.ran, skipped: sum.skipped + next.skipped };
}
