/** Each project in short: where its tasks stand, what landed, what came back and why. */
import type { Finding } from '../../model/attempt.ts';
import type { Formats } from './format.ts';
import type { DailyReport, ProjectDay } from './model.ts';
import type { Block, Part } from './page.ts';
import { left, newest, right } from './table.ts';

/** A reader has ten minutes for all projects; `dispatch report` has every row of one. */
const MERGED_SHOWN = 6;
const REFUSED_SHOWN = 5;
const CONFLICTS_SHOWN = 3;
const WAITING_SHOWN = 5;

export function projectBlocks(report: DailyReport, format: Formats): Block[] {
  const { projects, quiet } = report;
  const { words } = format;
  const names = quiet.join(words.separator);
  return [
    ...projects.flatMap((project) => [
      heading(project, format),
      ...standing(project, format),
      ...alerts(project),
      ...merged(project, report, format),
      ...refused(project, report, format),
      ...conflicts(project, format),
      ...reverted(project, format),
      ...waiting(project, format),
    ]),
    ...(quiet.length === 0
      ? []
      : [{ is: 'text' as const, text: words.project.quiet(names), tone: 'muted' as const }]),
  ];
}

function heading({ project, delivered, delivery, target }: ProjectDay, format: Formats): Block {
  const { project: words } = format.words;
  const notes = [
    ...(delivered > 0 ? [words.delivered(delivered, target)] : []),
    words.delivery(delivery, target, format),
  ];
  return { is: 'heading', text: project, note: notes.join(' · ') };
}

function standing({ standing: now, merged: landed }: ProjectDay, { words }: Formats): Block[] {
  // What merged or was given up long ago would hide the rest.
  const counts = { ...now, merged: landed.length };
  const names: readonly Part[] = ['merged', 'you', 'agents', 'gates', 'slots', 'tasks'];
  const parts = names
    .filter((name) => counts[name] > 0)
    .map((name) => ({
      label: words.standing[name],
      value: counts[name],
      text: String(counts[name]),
      tone: name,
    }));
  return parts.length === 0 ? [] : [{ is: 'parts', title: '', parts }];
}

function alerts({ alerts: all }: ProjectDay): Block[] {
  return all.map(({ code, message }) => ({ is: 'text', text: `${code}: ${message}`, tone: 'bad' }));
}

function merged({ merged: all }: ProjectDay, report: DailyReport, format: Formats): Block[] {
  const { columns, project: words } = format.words;
  const { task, title, at, took, attempts, rounds, commit } = columns;
  const heads = [left(task), left(title), ...[at, took, attempts, rounds].map(right), left(commit)];
  return newest(words.merged(all.length), heads, { items: all, most: MERGED_SHOWN }, (one) => [
    { text: one.task, code: true },
    { text: one.title },
    { text: momentIn(report, one.at, format) },
    { text: format.span(one.tookMs) },
    { text: String(one.attempts), ...(one.attempts > 1 ? { tone: 'warn' as const } : {}) },
    { text: one.rounds === null ? '–' : String(one.rounds) },
    { text: one.commit === null ? '–' : one.commit.slice(0, 10), code: true, tone: 'muted' },
  ]);
}

function refused({ refusals }: ProjectDay, report: DailyReport, format: Formats): Block[] {
  const { columns, project: words, refusedBy } = format.words;
  const heads = [left(columns.task), left(columns.by), left(columns.finding), right(columns.at)];
  return newest(words.refused(refusals.length), heads, { items: refusals, most: REFUSED_SHOWN }, (one) => [
    { text: `${one.task} #${one.n}`, code: true },
    { text: refusedBy[one.by] },
    { text: findingText(one.findings, format) },
    { text: momentIn(report, one.at, format) },
  ]);
}

function findingText(findings: readonly Finding[], { words }: Formats): string {
  const [first] = findings;
  if (first === undefined) return words.unknown;
  const { gate, path, line, message } = first;
  const where =
    path === null || message.startsWith(path) ? '' : ` ${line === null ? path : `${path}:${line}`}`;
  const more = findings.length > 1 ? ` (${words.more(findings.length - 1)})` : '';
  return `${gate}${where}: ${message}${more}`;
}

function conflicts({ conflicts: all }: ProjectDay, format: Formats): Block[] {
  const { columns, project: words, separator } = format.words;
  const heads = [left(columns.task), left(columns.against), left(columns.paths), right(columns.times)];
  return newest(words.conflicts(all.length), heads, { items: all, most: CONFLICTS_SHOWN }, (one) => [
    { text: one.task, code: true },
    { text: one.against.join(separator), code: true },
    { text: one.paths.slice(0, 3).join(separator), code: true, tone: 'muted' },
    { text: String(one.times) },
  ]);
}

function reverted({ reverted: tasks }: ProjectDay, { words }: Formats): Block[] {
  if (tasks.length === 0) return [];
  const names = [...new Set(tasks)].join(words.separator);
  return [{ is: 'text', text: `${words.project.reverted}: ${names}`, tone: 'warn' }];
}

/** What is longest in the list is named first: it has waited longest. */
function waiting({ waiting: all }: ProjectDay, format: Formats): Block[] {
  const { columns, project: words, what } = format.words;
  const heads = [left(columns.task), left(columns.state), left(columns.reason)];
  const items = all.toReversed();
  return newest(words.waiting(all.length), heads, { items, most: WAITING_SHOWN }, (one) => [
    { text: one.task, code: true },
    { text: what[one.what], tone: 'warn' },
    { text: one.reason },
  ]);
}

function momentIn({ period }: DailyReport, at: number, format: Formats): string {
  return period.kind === 'day' ? format.clock(at) : format.moment(at);
}
