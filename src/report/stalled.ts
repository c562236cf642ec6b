/** What a stalled attempt is said to do, in words and with the figures that show it. */
import { type Evidence, stallMend, stallText } from '../model/stall.ts';
import { projectOfKey } from '../model/found.ts';
import { formatDuration } from '../model/time.ts';
import type { StalledAttempt } from '../schedule/stalled.ts';

/** Percent of one core below which it is not said to compute. */
const IDLE_PERCENT = 1;

/** `attempt 2 waits for somebody to type: ssh host`, without what mends it. */
export function stallLine({ attempt, stall }: StalledAttempt): string {
  const who = attempt.work.kind === 'gate' ? 'its gate' : `attempt ${attempt.n}`;
  return `${who} ${stallText(stall)}`;
}

/** What to type. A gate is nobody's to answer: it is looked at by running it by hand. */
export function mendLine({ attempt, stall }: StalledAttempt): string {
  const { task, node, work } = attempt;
  if (work.kind === 'work' || stall.cause === 'stopped') return stallMend(stall, { task, node });
  const byHand =
    work.subject.of === 'merge' ? `dispatch gate ${task}` : `dispatch verify ${projectOfKey(task)}`;
  return `${byHand}   runs it by hand with its whole output; its deadline ends it and blames nobody`;
}

/** The evidence, a line for each kind. */
export function evidenceLines(evidence: Evidence): string[] {
  const { quietMs, logBytes, processes, more, lastEvent, lastLines } = evidence;
  const event = lastEvent === null ? '' : `, last event ${lastEvent}`;
  const rest = more === 0 ? '' : `, and ${more} more`;
  return [
    `silent for ${formatDuration(quietMs)}, ${logBytes} bytes of log${event}; ${cpuText(evidence)}`,
    ...processes.map(
      ({ pid, command, state, waits, ageMs }, at) =>
        `process ${pid} ${state}${waits === null ? '' : ` in ${waits}`} for ${formatDuration(ageMs)}: ${command}${at === processes.length - 1 ? rest : ''}`,
    ),
    ...lastLines.map((line) => `> ${line}`),
  ];
}

function cpuText({ cpu }: Evidence): string {
  if (cpu === null || cpu.overMs === 0) return 'CPU time not known yet';
  const percent = (100 * cpu.usedMs) / cpu.overMs;
  if (percent < IDLE_PERCENT) return 'no CPU time used';
  return `${Math.round(percent)} % of a core`;
}
