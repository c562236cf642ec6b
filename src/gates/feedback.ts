/**
 * The gates' words to an agent: what failed, where, and what to do about it. Everything at once, shortest first, and
 * clear that its own opinion of the work decides nothing.
 */
import type { Finding, GateName } from '../model/attempt.ts';
import { shorten, stripControls } from './shorten.ts';

/**
 * The message of one feedback round. `round` is the round that failed (1 for the first), `rounds` how many there are in
 * all. `output` is the verify command's, empty when it did not run.
 */
export function feedbackText(
  findings: readonly Finding[],
  output: string,
  round: number,
  rounds: number,
): string {
  const left = Math.max(0, rounds - round);
  const parts = [
    `The work of round ${round} of ${rounds} was checked and is not accepted. ${roundsLeft(left)}`,
    ...GATES.flatMap(({ gate, title }) =>
      gatePart(
        title,
        findings.filter((one) => one.gate === gate),
      ),
    ),
  ];
  if (output.trim() !== '') {
    parts.push(`Output of the verify command (shortened):\n\n${indent(shorten(output, OUTPUT_BYTES))}`);
  }
  parts.push(CLOSING);
  return `${parts.join('\n\n')}\n`;
}

/** Bytes of the command's output that go to an agent: enough for a failing test, little enough not to drown the task. */
const OUTPUT_BYTES = 12 * 1024;
/** Findings of one gate that are written out; an agent that added a thousand files understands after fifty. */
const SHOWN = 50;

const GATES: readonly { readonly gate: GateName; readonly title: string }[] = [
  { gate: 'commit', title: 'Nothing to check' },
  { gate: 'scope', title: 'Changes outside of what the task may change' },
  { gate: 'content', title: 'Content that may not be in the repository' },
  { gate: 'placeholder', title: 'Unfinished work' },
  { gate: 'verify', title: 'The verify command failed' },
  { gate: 'tests', title: 'Too few tests ran' },
];

const CLOSING = [
  'What to do now:',
  '- Mend the cause of every point above. Do not weaken, skip or delete a test or a check to get past it.',
  '- Stay inside the paths that the task claims; take back whatever lies outside of them.',
  '- Run the verify command yourself before you stop. The same checks run again, on a clean checkout; your word that it is done counts for nothing.',
].join('\n');

function roundsLeft(left: number): string {
  if (left === 0) return 'There is no further round.';
  return left === 1 ? 'You have one more round to mend it.' : `You have ${left} more rounds to mend it.`;
}

function gatePart(title: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const shown = findings.slice(0, SHOWN).map(findingText);
  const rest = findings.length - shown.length;
  if (rest > 0) shown.push(`- and ${rest} more of the same kind`);
  return [`${title} (${findings.length}):\n${shown.join('\n')}`];
}

/** The message names the place itself; it is one line whatever the path or the file contain. */
function findingText(finding: Finding): string {
  const fix = finding.fix === null ? '' : `\n  -> ${oneLine(finding.fix)}`;
  return `- ${oneLine(finding.message)}${fix}`;
}

function oneLine(text: string): string {
  return stripControls(text).replace(/\s+/g, ' ').trim();
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
}
