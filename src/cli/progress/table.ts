import { formatDuration } from '../../model/time.ts';
import type { Terminal } from '../environment.ts';
import type { Column } from '../render/table.ts';
import type { TaskRow } from './rows.ts';
import { paintWord, wordWithSymbol } from './words.ts';

/** Columns of the table of tasks. The project is shown only when there are several. */
export function taskColumns(terminal: Terminal, now: number, severalProjects: boolean): Column<TaskRow>[] {
  const age = (row: TaskRow): string =>
    terminal.tty ? formatDuration(Math.max(0, now - row.since)) : new Date(row.since).toISOString();
  return [
    {
      title: 'status',
      value: ({ status }) => (terminal.tty ? wordWithSymbol(status) : status),
      paint: (paint, { status }) => paintWord(paint, status),
    },
    { title: 'task', value: (row) => nameOf(row, severalProjects) },
    { title: 'node', value: ({ node }) => node ?? '-' },
    { title: 'try', value: ({ attempt }) => (attempt === 0 ? '-' : String(attempt)) },
    { title: 'step', value: stepText },
    { title: terminal.tty ? 'for' : 'since', value: age },
    { title: 'commit', value: ({ commit }) => commit?.slice(0, 10) ?? '-', wide: true },
    { title: 'title', value: ({ title }) => title, wide: true },
    { title: 'reason', value: ({ reason }) => reason },
  ];
}

export function nameOf({ project, task }: TaskRow, withProject: boolean): string {
  return withProject ? `${project}/${task}` : task;
}

/** `2:verify`: the second round, at the verify step. */
export function stepText({ round, step }: TaskRow): string {
  return round === null || step === null ? '-' : `${round}:${step}`;
}
