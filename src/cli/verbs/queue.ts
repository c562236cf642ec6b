import { EXIT, type ExitCode } from '../../model/exit.ts';
import type { Clash } from '../../model/conflict.ts';
import type { State } from '../../model/state.ts';
import { type Project, type Task, undoOf } from '../../model/task.ts';
import { type Doubt, doubtOf } from '../../merge/doubt.ts';
import { mergeOrder } from '../../merge/order.ts';
import { queueOf, type Stacked, unproved } from '../../merge/queue/view.ts';
import { clashesAgainst, clashOf, shortClash } from '../../schedule/clash.ts';
import { activeTasks } from '../../schedule/gates.ts';
import { alertLines, alertsOf } from '../../report/alerts.ts';
import { flakeText, flakyGates } from '../../report/flaky.ts';
import type { Context } from '../context.ts';
import { commandEach } from '../order.ts';
import { safeLine } from '../render/safe-text.ts';
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
  /** How likely it is to be bad, which puts it behind others: `chance` from 0 to 1, and what speaks for it. */
  readonly doubt: Doubt;
  /** 409: the conflict to come of this branch, and of others that will have to give way to it. */
  readonly conflict: Clash | null;
  readonly ahead: readonly Clash[];
}

/** What is on its way into integration, in the order in which it goes. */
export async function showQueue(context: Context, typed: string | undefined): Promise<ExitCode> {
  const { output } = context;
  return withView(context, async ({ state }) => {
    const projects = typed === undefined ? [...state.projects.values()] : [selectProject(state, typed)];
    const rows = projects.flatMap((project) => rowsOf(state, project));
    const several = projects.length > 1;
    const alerts = projects.flatMap((project) => alertsOf(state, project));
    output.list<QueueRow>({
      kind: 'QueueEntryList',
      rows,
      name: ({ project, task }) => `${project}/${task}`,
      columns: [
        ...(several ? [{ title: 'project', value: ({ project }: QueueRow) => project }] : []),
        { title: 'place', value: ({ place, position }) => `${place} ${position}` },
        { title: 'task', value: ({ task }) => task },
        { title: 'gate', value: ({ gate }) => gate },
        { title: 'doubt', value: ({ doubt }) => doubtText(doubt) },
        { title: 'conflict', value: conflictText },
        { title: 'title', value: ({ title }) => title },
      ],
      meta: {
        alerts,
        flaky: projects.flatMap((project) =>
          flakyGates(project).map((gate) => ({ project: project.name, ...gate })),
        ),
        holds: projects.flatMap(({ name, hold }) => (hold === null ? [] : { project: name, ...hold })),
      },
      empty: 'nothing waits to be merged',
    });
    for (const line of alertLines(alerts)) output.note(safeLine(line));
    for (const line of projects.flatMap(flakyNotes)) output.note(line);
    for (const { name, hold } of projects) {
      if (hold === null || hold.by === 'dispatch') continue;
      output.note(`the queue of ${name} stands still (${hold.by}): ${hold.reason}`);
      output.note(`fix: dispatch queue release ${name}`);
    }
    return EXIT.ok;
  });
}

/** One line for each gate that cannot be trusted at its first word. */
export function flakyNotes(project: Project): string[] {
  return flakyGates(project).map(({ verify, runs, flakes, tests }) => {
    const named = tests.slice(0, TESTS_SHOWN).map(({ name }) => name);
    const more = tests.length > TESTS_SHOWN ? ` and ${tests.length - TESTS_SHOWN} more` : '';
    const which = named.length === 0 ? '' : `: ${named.join(', ')}${more}`;
    return `flaky gate of ${project.name}, \`${verify}\`, ${flakeText(flakes, runs)}${which}`;
  });
}

/** Tests named in a line; the report names more. */
const TESTS_SHOWN = 3;

function rowsOf(state: State, project: Project): QueueRow[] {
  const { landing, stack, aside, stray, queued } = queueOf(
    project,
    activeTasks(state, project.name),
    state.tasks,
  );
  const landed = landing.flatMap(({ token }) => {
    const key = state.attempts.get(token)?.task;
    return (key === undefined ? undefined : state.tasks.get(key)) ?? [];
  });
  const against = clashesAgainst(state);
  const row = (task: Task, place: string, at: number, gate: string): QueueRow => ({
    ...rowOf(state, task, place, at, gate),
    ahead: against.get(task.key) ?? [],
  });
  const waiting = [...queued, ...stray.map(({ task }) => task)].toSorted(mergeOrder(state.attempts));
  return [
    ...landed.map((task, at) => row(task, 'landing', at, 'green')),
    ...stack.map((entry, at) => row(entry.task, 'stacked', at, gateOf(project, entry))),
    ...aside.map((entry, at) => row(entry.task, 'aside', at, gateOf(project, entry))),
    ...waiting.map((task, at) => row(task, 'queued', at, '')),
  ];
}

function rowOf(
  { attempts }: State,
  task: Task,
  place: string,
  at: number,
  gate: string,
): Omit<QueueRow, 'ahead'> {
  const { project, id, title } = task.spec;
  const since = 'since' in task.progress ? task.progress.since : null;
  const shown = undoOf(task.progress) === undefined ? title : `revert: ${title}`;
  const token = 'token' in task.progress ? task.progress.token : null;
  return {
    project,
    task: id,
    title: shown,
    place,
    position: at + 1,
    gate,
    since,
    doubt: doubtOf(task, token === null ? undefined : attempts.get(token)),
    conflict: clashOf(task),
  };
}

function conflictText({ conflict, ahead }: QueueRow): string {
  const others = ahead.map(({ code, ours }) => `Ahead${code}(${ours.task})`);
  return [...(conflict === null ? [] : [shortClash(conflict)]), ...others].join(' ');
}

/** `14 %: took 3 rounds, changes no test`. */
function doubtText({ chance, signs }: Doubt): string {
  return [`${Math.round(100 * chance)} %`, ...(signs.length > 0 ? [signs.join(', ')] : [])].join(': ');
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

export interface ReleaseOptions {
  readonly acceptTarget?: boolean;
}

/** Lets it go on. */
export async function release(
  context: Context,
  typed: string,
  { acceptTarget = false }: ReleaseOptions,
): Promise<ExitCode> {
  const project = await projectNamed(context, typed);
  const by = context.environment.user;
  return commandEach(context, 'goes on', [
    [project, { verb: 'release', project, by, ...(acceptTarget ? { acceptTarget } : {}) }],
  ]);
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
