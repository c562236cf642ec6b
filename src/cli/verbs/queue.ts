import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { State } from '../../model/state.ts';
import type { Project, Task } from '../../model/task.ts';
import { compareForMerge } from '../../merge/order.ts';
import { queueOf, type Stacked, unproved } from '../../merge/queue/view.ts';
import { activeTasks } from '../../schedule/gates.ts';
import { alertLines, alertsOf } from '../../report/alerts.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { selectProject, selectTask } from '../select.ts';
import { withView } from '../view.ts';

interface QueueRow {
  readonly project: string;
  readonly task: string;
  readonly title: string;
  /** `landing`, `stacked`, `aside`, `queued`. */
  readonly place: string;
  /** Position within its place, from 1. */
  readonly position: number;
  /** What its gate says: `running`, `red`, `green`, or nothing yet. */
  readonly gate: string;
  readonly since: number | null;
}

/** What is on its way into integration, in the order in which it goes. */
export async function showQueue(context: Context, typed: string | undefined): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async ({ state }) => {
    const projects = typed === undefined ? [...state.projects.values()] : [selectProject(state, typed)];
    const rows = projects.flatMap((project) => rowsOf(state, project));
    const several = projects.length > 1;
    const alerts = projects.flatMap(alertsOf);
    output.list<QueueRow>({
      kind: 'QueueEntryList',
      rows,
      name: ({ project, task }) => `${project}/${task}`,
      columns: [
        ...(several ? [{ title: 'project', value: ({ project }: QueueRow) => project }] : []),
        { title: 'place', value: ({ place, position }) => `${place} ${position}` },
        { title: 'task', value: ({ task }) => task },
        { title: 'gate', value: ({ gate }) => gate },
        { title: 'title', value: ({ title }) => title },
      ],
      meta: {
        alerts,
        holds: projects.flatMap(({ name, hold }) => (hold === null ? [] : { project: name, ...hold })),
      },
      empty: 'nothing waits to be merged',
    });
    for (const line of alertLines(alerts)) output.note(line);
    for (const { name, hold } of projects) {
      if (hold === null || hold.by === 'dispatch') continue;
      output.note(`the queue of ${name} stands still (${hold.by}): ${hold.reason}`);
      output.note(`fix: dispatch queue release ${name}`);
    }
    return EXIT.ok;
  });
}

function rowsOf(state: State, project: Project): QueueRow[] {
  const { landing, stack, aside, stray, queued } = queueOf(project, activeTasks(state, project.name));
  const landed = landing.flatMap(({ token }) => {
    const key = state.attempts.get(token)?.task;
    return (key === undefined ? undefined : state.tasks.get(key)) ?? [];
  });
  const waiting = [...queued, ...stray.map(({ task }) => task)].toSorted(compareForMerge);
  return [
    ...landed.map((task, at) => rowOf(task, 'landing', at, 'green')),
    ...stack.map((entry, at) => rowOf(entry.task, 'stacked', at, gateOf(project, entry))),
    ...aside.map((entry, at) => rowOf(entry.task, 'aside', at, gateOf(project, entry))),
    ...waiting.map((task, at) => rowOf(task, 'queued', at, '')),
  ];
}

function rowOf(task: Task, place: string, at: number, gate: string): QueueRow {
  const { project, id, title } = task.spec;
  const since = 'since' in task.progress ? task.progress.since : null;
  return { project, task: id, title, place, position: at + 1, gate, since };
}

function gateOf(project: Project, stacked: Stacked): string {
  const { progress } = stacked;
  if (progress.gate !== null) return 'running';
  if (unproved(project, stacked).length === 0) return 'green';
  return progress.red === null ? '' : 'red';
}

export interface HoldOptions {
  readonly reason?: string;
}

/** Stops a project's merge queue. */
export async function hold(context: Context, typed: string, options: HoldOptions): Promise<ExitCode> {
  const project = await projectNamed(context, typed);
  const by = context.environment.user;
  const reason = options.reason ?? 'no reason given';
  return commandEach(context, 'stands still', [[project, { verb: 'hold', project, by, reason }]]);
}

/** Lets it go on. */
export async function release(context: Context, typed: string): Promise<ExitCode> {
  const project = await projectNamed(context, typed);
  const by = context.environment.user;
  return commandEach(context, 'goes on', [[project, { verb: 'release', project, by }]]);
}

async function projectNamed(context: Context, typed: string): Promise<Project['name']> {
  return withView(context, async ({ state }) => selectProject(state, typed).name);
}

/** Takes a branch out of the queue for good. */
export async function drop(context: Context, typed: string): Promise<ExitCode> {
  const task = await withView(context, async ({ state }) => selectTask(state, typed).key);
  const reason = `dropped from the merge queue by ${context.environment.user}`;
  return commandEach(context, 'dropped', [[task, { verb: 'cancel', task, reason }]]);
}

/** Lets a branch merge before the others that wait. */
export async function front(context: Context, typed: string): Promise<ExitCode> {
  const task = await withView(context, async ({ state }) => selectTask(state, typed).key);
  return commandEach(context, 'goes first', [[task, { verb: 'front', task, by: context.environment.user }]]);
}
