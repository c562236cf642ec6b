import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { ProjectName } from '../../model/ids.ts';
import { alertLines, alertsOf } from '../../report/alerts.ts';
import { countsLine } from '../../report/markdown.ts';
import { flakyGates } from '../../report/flaky.ts';
import type { Context } from '../context.ts';
import { countWords, rowsOf, type TaskRow } from '../progress/rows.ts';
import { nameOf, taskColumns } from '../progress/table.ts';
import { watch } from '../progress/watch.ts';
import { flakyNotes } from './queue.ts';
import { selectProject } from '../select.ts';
import { type HomeView, withView } from '../view.ts';

export interface StatusOptions {
  readonly watch?: boolean;
}

/** Where every task is. Reads the store; a running controller is not asked. */
export async function status(
  context: Context,
  project: string | undefined,
  options: StatusOptions,
): Promise<ExitCode> {
  return withView(context, async (view) => {
    const wanted = project === undefined ? null : new Set([selectProject(view.state, project).name]);
    if (options.watch === true) return watch(context, view, wanted);
    showOnce(context, view, wanted);
    return EXIT.ok;
  });
}

function showOnce({ output }: Context, view: HomeView, wanted: ReadonlySet<ProjectName> | null): void {
  const now = Date.now();
  const rows = rowsOf(view.state, view.snapshot(), now, wanted);
  const counts = countWords(rows);
  const projects = [...view.state.projects.values()].filter(({ name }) => wanted?.has(name) !== false);
  const alerts = projects.flatMap((project) => alertsOf(view.state, project));
  const flaky = projects.flatMap((project) =>
    flakyGates(project).map((gate) => ({ project: project.name, ...gate })),
  );
  output.list<TaskRow>({
    kind: 'TaskList',
    rows,
    name: (row) => nameOf(row, true),
    columns: taskColumns(output.terminal, now, severalProjects(rows)),
    meta: { total: rows.length, counts, controller: view.holder, alerts, flaky },
    empty: 'no task yet: dispatch start <project>',
  });
  for (const line of alertLines(alerts)) output.note(line);
  if (rows.length === 0) return;
  output.note(summaryLine(view, rows));
  for (const project of projects) for (const line of flakyNotes(project)) output.note(line);
}

export function severalProjects(rows: readonly TaskRow[]): boolean {
  return rows.some(({ project }) => project !== rows[0]?.project);
}

/** `12/40 merged · 8 running`, and whether anybody is at work. */
export function summaryLine({ holder }: HomeView, rows: readonly TaskRow[]): string {
  const counts = countsLine(countWords(rows), rows.length);
  if (holder !== null)
    return `${counts} · controller: pid ${holder.pid} since ${new Date(holder.since).toISOString()}`;
  return `${counts} · no controller runs`;
}
