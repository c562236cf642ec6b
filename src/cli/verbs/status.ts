import type { About } from '../../controller/questions.ts';
import { EXIT, type ExitCode } from '../../model/exit.ts';
import { projectOfKey } from '../../model/found.ts';
import type { ProjectName, TaskKey } from '../../model/ids.ts';
import { type Capacity, capacityOf } from '../../report/advice.ts';
import { adviceLines } from '../../report/advice-text.ts';
import { alertLines, alertsOf, nodeAlerts } from '../../report/alerts.ts';
import { machinesOf } from '../../report/machines.ts';
import { budgetAlerts } from '../../report/budget-alerts.ts';
import { countsLine } from '../../report/markdown.ts';
import { flakyGates } from '../../report/flaky.ts';
import { lateLine, type LateResult, lateResults } from '../../report/late.ts';
import { safeModeLines } from '../../report/safe-mode.ts';
import { silenceLines } from '../../report/silence.ts';
import type { Snapshot } from '../../schedule/snapshot.ts';
import type { Context } from '../context.ts';
import { countWords, rowsOf, type TaskRow } from '../progress/rows.ts';
import { nameOf, taskColumns } from '../progress/table.ts';
import { watch } from '../progress/watch.ts';
import { safeLine } from '../render/safe-text.ts';
import { flakyNotes } from './queue.ts';
import { selectProject } from '../select.ts';
import { type HomeView, withView } from '../view.ts';

export interface StatusOptions {
  readonly watch?: boolean;
}

/** Where every task is. Reads the store; a running controller is asked only for what is in no store. */
export async function status(
  context: Context,
  project: string | undefined,
  options: StatusOptions,
): Promise<ExitCode> {
  return withView(context, async (view) => {
    const wanted = project === undefined ? null : new Set([selectProject(view.state, project).name]);
    if (options.watch === true) return watch(context, view, wanted);
    showOnce(context, view, wanted, await view.about());
    return EXIT.ok;
  });
}

function showOnce(
  { output }: Context,
  view: HomeView,
  wanted: ReadonlySet<ProjectName> | null,
  about: About | null,
): void {
  const now = Date.now();
  const refused = about?.refused ?? [];
  const snapshot = view.snapshot(about ?? undefined);
  const rows = rowsOf(view.state, snapshot, now, wanted);
  const counts = countWords(rows);
  const capacity = capacityIn(view, wanted, now);
  const projects = [...view.state.projects.values()].filter(({ name }) => wanted?.has(name) !== false);
  const alerts = [
    ...projects.flatMap((project) => alertsOf(view.state, project)),
    ...budgetAlerts(snapshot ?? view.assumed(), wanted, now),
    ...nodeAlerts(view.state),
  ];
  const machines = machinesOf(view.state).filter(({ ails }) => ails.length > 0);
  const late = lateResults(view.state, (task) => isWanted(task, wanted));
  const flaky = projects.flatMap((project) =>
    flakyGates(project).map((gate) => ({ project: project.name, ...gate })),
  );
  output.list<TaskRow>({
    kind: 'TaskList',
    rows,
    name: (row) => nameOf(row, true),
    columns: taskColumns(output.terminal, now, severalProjects(rows)),
    meta: {
      total: rows.length,
      counts,
      controller: view.holder,
      alerts,
      refused,
      safe: about?.safe ?? [],
      capacity,
      flaky,
      late,
      machines,
    },
    empty: 'no task yet: dispatch start <project>',
  });
  for (const line of alertLines(alerts)) output.note(safeLine(line));
  for (const line of safeModeLines(about?.safe ?? [], now)) output.note(safeLine(line));
  for (const { node, ails } of machines)
    for (const { text } of ails) output.note(safeLine(`${node}: ${text}`));
  if (rows.length > 0) {
    output.note(summaryLine(view, rows));
    for (const project of projects) for (const line of flakyNotes(project)) output.note(line);
  }
  for (const line of absenceLines(snapshot ?? view.assumed(), about, late)) output.note(safeLine(line));
  for (const line of capacity === null ? [] : adviceLines(capacity)) output.note(safeLine(line));
  for (const { file, code, message } of refused)
    output.note(safeLine(`${file} has changed and is not used: ${message} (dispatch explain ${code})`));
}

function isWanted(task: TaskKey, projects: ReadonlySet<ProjectName> | null): boolean {
  return projects === null || projects.has(projectOfKey(task));
}

/** Nodes that do not answer, and results that came when nobody waited for them any more. */
function absenceLines(
  snapshot: Snapshot,
  about: About | null,
  late: readonly LateResult[],
): readonly string[] {
  const cutOff = about?.cutOff === true ? [CUT_OFF] : [];
  const silent = silenceLines(snapshot);
  const [newest] = late.toReversed();
  if (newest === undefined) return [...cutOff, ...silent];
  const count = late.length === 1 ? 'a result came' : `${late.length} results came`;
  return [
    ...cutOff,
    ...silent,
    `${count} too late, not merged: ${lateLine(newest)} (dispatch why ${newest.task})`,
  ];
}

const CUT_OFF = 'no machine over the network answers: the fault is taken to be this machine’s own network';

/** Without a controller nothing runs, so nothing is said about machines. */
function capacityIn(view: HomeView, projects: ReadonlySet<ProjectName> | null, now: number): Capacity | null {
  const fleet = view.snapshot();
  if (fleet === null) return null;
  return capacityOf({ state: view.state, fleet, conflicted: view.conflicted, projects, now });
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
