import type { Finding } from '../../model/attempt.ts';
import type { Event } from '../../model/event.ts';
import type { ProjectName } from '../../model/ids.ts';
import type { State } from '../../model/state.ts';
import { formatDuration } from '../../model/time.ts';
import { buildReport } from '../../report/build.ts';
import { clashLine } from '../../report/clash.ts';
import { countsLine } from '../../report/markdown.ts';
import type { Report } from '../../report/model.ts';
import type { Context } from '../context.ts';
import { safeLine } from '../render/safe-text.ts';

/** Findings and conflicts shown; `dispatch report` has all. */
const SHOWN = 5;

/** The events that a summary tells of; the rest is in the state, and a long run must not keep them all. */
export function keepForSummary({ fact }: Event): boolean {
  return (
    fact.type === 'candidate.refused' ||
    fact.type === 'merge.refused' ||
    fact.type === 'merge.conflicted' ||
    fact.type === 'revert.refused' ||
    fact.type === 'delivery.failed' ||
    fact.type === 'delivery.landed' ||
    (fact.type === 'attempt.ended' && fact.outcome.kind === 'refused')
  );
}

/** What came of a run: what merged, what was refused and why, what waits for a person, what to type next. */
export function summarise(
  { output }: Context,
  run: { state: State; events: readonly Event[]; projects: readonly ProjectName[]; slots: number },
): void {
  const reports = run.projects.flatMap((name) => {
    const project = run.state.projects.get(name);
    if (project === undefined) return [];
    return [buildReport({ ...run, project, now: Date.now() })];
  });
  if (output.format === 'json') return output.envelope('RunResult', reports);
  if (output.format === 'ndjson') {
    for (const report of reports) output.event('Result', report);
    return;
  }
  if (output.format === 'name') return;
  for (const report of reports) for (const line of summaryLines(report, output.paint)) output.line(line);
}

function summaryLines(report: Report, paint: Context['output']['paint']): string[] {
  const { project, tasks, counts, span, refusals, conflicts, waiting, next } = report;
  const took = span === null ? '' : ` in ${formatDuration(span.to - span.from)}`;
  const lines = [`${paint.bold(project)}: ${countsLine(counts, tasks.length)}${took}`];
  const rounds = tasks.filter((task) => task.status === 'merged' && (task.rounds ?? 0) > task.attempts);
  if (rounds.length > 0) {
    lines.push(`  repaired after the gates sent it back: ${rounds.map(({ id }) => id).join(', ')}`);
  }
  for (const { task, n, findings } of refusals.slice(0, SHOWN)) {
    lines.push(`  ${paint.red('refused')}  ${task} attempt ${n}: ${safeLine(firstFinding(findings))}`);
  }
  for (const conflict of conflicts.slice(0, SHOWN)) {
    lines.push(`  ${paint.yellow('conflict')} ${conflict.task}: ${safeLine(clashLine(conflict, project))}`);
  }
  for (const { task, what, reason } of waiting) {
    lines.push(`  ${paint.yellow(what.padEnd(8))} ${task}: ${safeLine(reason)}`);
  }
  if (next.length > 0) {
    const width = Math.max(...next.map(({ command }) => command.length));
    lines.push('Next:', ...next.map(({ command, purpose }) => `  ${command.padEnd(width)}  ${purpose}`));
  }
  return lines;
}

/** The first finding with its place. */
function firstFinding([first]: readonly Finding[]): string {
  if (first === undefined) return 'by the gates';
  return findingLine(first);
}

/** A finding with its place, unless its words begin with the place already. */
export function findingLine({ path, line, message }: Finding): string {
  if (path === null || message.startsWith(path)) return message;
  return `${path}${line === null ? '' : `:${line}`} ${message}`;
}
