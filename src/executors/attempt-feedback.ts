/**
 * What the merge queue tells the agent that has to do its work again on a new base: which files, whose changes, and
 * what both sides wanted, so that it keeps the one and redoes the other.
 */
import { assertNever } from '../model/assert.ts';
import type { Feedback, Finding } from '../model/attempt.ts';
import type { Clash, Conflict } from '../model/conflict.ts';
import { shorten, stripControls } from '../gates/shorten.ts';

/** Text for the prompt of the next attempt. */
export function feedbackForAttempt(feedback: Feedback): string {
  switch (feedback.why) {
    case 'conflict':
      return [...conflictPart(feedback.clash), ...previousPart(feedback.previous)].join('\n');
    case 'contract':
      return [contractPart(feedback.path), ...previousPart(feedback.previous)].join('\n');
    case 'handed':
      return [
        `${oneLine(feedback.by)}, a person, has done the task by hand.`,
        ...previousPart(feedback.previous),
      ].join('\n');
    case 'rejected':
      return [rejectedPart(feedback), ...previousPart(feedback.previous)].join('\n');
    case 'reverted':
      return [revertedPart(feedback.reason), ...previousPart(feedback.previous)].join('\n');
    case 'gate':
      return [...gatePart(feedback.findings, feedback.output), ...previousPart(feedback.previous)].join('\n');
    default:
      return assertNever(feedback);
  }
}

const OUTPUT_BYTES = 12 * 1024;
const SHOWN = 100;

function conflictPart({ code, conflicts, ours, theirs, attempt, times, most }: Clash): string[] {
  const lines = [
    `${code} conflict: your work of attempt ${attempt} conflicts with work that merged in the meantime. The tree now starts from the new base, which holds the other work.`,
    `It is sent back for the ${ordinal(times)} time; at the ${ordinal(most)} a person is asked instead of you.`,
    '',
    'Files in conflict:',
    ...conflicts.slice(0, SHOWN).map(conflictLine),
  ];
  if (conflicts.length > SHOWN) lines.push(`- and ${conflicts.length - SHOWN} more`);
  lines.push('', 'What each side wants:', `- yours, ${ours.task}: ${oneLine(ours.title)}`);
  for (const { task, title } of theirs) lines.push(`- merged, ${task}: ${oneLine(title)}`);
  lines.push(
    '',
    'Read in the base what the other side changed in these files and keep its intent and its tests working; then do your own task on top of it. Do not take the other work back.',
  );
  return lines;
}

function ordinal(count: number): string {
  return ['first', 'second', 'third'][count - 1] ?? `${count}th`;
}

function conflictLine(conflict: Conflict): string {
  const by =
    conflict.tasks.length === 0
      ? 'changed outside of this project'
      : `changed by ${conflict.tasks.join(', ')}`;
  return `- ${JSON.stringify(conflict.path)}: ${by}`;
}

function gatePart(findings: readonly Finding[], output: string): string[] {
  const lines = [
    'Your work of the attempt before passed alone, but not together with what merged in the meantime. The tree now starts from the new base, which holds the other work.',
  ];
  if (findings.length > 0) {
    lines.push('', 'What the gate on the merged result found:');
    for (const { gate, message, fix } of findings.slice(0, SHOWN)) {
      lines.push(`- ${gate}: ${oneLine(message)}${fix === null ? '' : `\n  -> ${oneLine(fix)}`}`);
    }
    if (findings.length > SHOWN) lines.push(`- and ${findings.length - SHOWN} more`);
  }
  if (output.trim() !== '') {
    lines.push('', 'Its output (shortened):', '', ...shorten(output, OUTPUT_BYTES).split('\n').map(indented));
  }
  lines.push('', 'Do the task on the new base so that both work together.');
  return lines;
}

function contractPart(path: string): string {
  return `The contract that all tasks share (${JSON.stringify(path)}) changed while your work of the attempt before was done or waited to be merged. The tree starts from a base that has the new one, which is also above. Do the task by it.`;
}

function rejectedPart({ by, reason }: Extract<Feedback, { why: 'rejected' }>): string {
  return `Your work of the attempt before passed every gate, and ${oneLine(by)}, a person, rejected it: ${oneLine(reason)}. The tree starts from the newest base. Do the task anew so that this reason does not hold any more.`;
}

function revertedPart(reason: string): string {
  return `Your work of the attempt before had merged, and a person had it reverted: ${oneLine(reason)}. The tree starts from a base without it. Do the task anew so that this reason does not hold any more.`;
}

function previousPart(previous: string): string[] {
  return [
    '',
    `Your earlier work is commit ${previous}, in this repository as refs/dispatch/previous. See it with \`git show refs/dispatch/previous\`; take over what is still right, by hand or with \`git cherry-pick\`.`,
  ];
}

function oneLine(text: string): string {
  return stripControls(text).replace(/\s+/g, ' ').trim();
}

function indented(line: string): string {
  return line === '' ? '' : `    ${line}`;
}
