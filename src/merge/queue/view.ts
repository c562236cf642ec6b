/** A project's queue as the planner sees it, read from the facts of its tasks. */
import { areasId } from '../../model/area.ts';
import { environmentOf, evidenceKey } from '../../model/evidence.ts';
import type { CommitId, ProjectName, Token } from '../../model/ids.ts';
import type { Gating, Progress, Project, Task } from '../../model/task.ts';
import { nextToMerge } from '../order.ts';
import { type Need, needsOf, openNeeds, stackNeeds, underWay } from './needs.ts';
import type { AsideEntry, Backers, Entry, QueueView } from './plan.ts';
import type { State } from '../../model/state.ts';
import { NO_RECORD, type QueueRecord } from './record.ts';

/** A branch that has been merged tentatively, with its task. */
export interface Stacked {
  readonly task: Task;
  readonly progress: Gating;
  /**
   * What has to be green, each once: its own, what was red on it, and on the stack that of all below it, since all of
   * them land as this tree. Not that of what is above: a task's command may look for what only that task brings, and
   * would blame the innocent.
   */
  readonly needs: readonly Need[];
}

export type Landing = Extract<Progress, { at: 'landing' }>;

export interface Queue {
  readonly project: Project;
  /** Landing has been decided and is not reported yet; in the order of the stack. */
  readonly landing: readonly Landing[];
  /** From the bottom. */
  readonly stack: readonly Stacked[];
  readonly aside: readonly Stacked[];
  /** They stand on something that is not there any more, or were merged when the areas' borders lay elsewhere. */
  readonly stray: readonly Stacked[];
  readonly queued: readonly Task[];
  /** What the next branch is stacked on; null before the hub is set up. */
  readonly top: CommitId | null;
}

/** Sorts a project's active tasks by their place in the queue; linear in them. @param all tasks of every project. */
export function queueOf(project: Project, active: readonly Task[], all: State['tasks']): Queue {
  // For hours agents only work, and it is asked several times a turn.
  if (!active.some(isInQueue)) return { ...EMPTY, project, top: project.integration };
  const landing: Landing[] = [];
  const queued: Task[] = [];
  const aside: Stacked[] = [];
  const standing = new Map<CommitId, Stacked>();
  const stray: Stacked[] = [];
  let top = project.integration;
  const borders = areasId(project.config.areas);
  for (const task of active) {
    const { progress } = task;
    if (progress.at === 'queued') queued.push(task);
    else if (progress.at === 'landing') {
      landing.push(progress);
      top = progress.commit;
    } else if (progress.at !== 'gating') continue;
    else {
      const one = { task, progress, needs: needsOf(task, progress, project, all) };
      if (progress.areas?.of !== borders) stray.push(one);
      else if (progress.aside !== null) aside.push(one);
      else stray.push(...takePlace(standing, one));
    }
  }
  const stack: Stacked[] = [];
  for (let next = above(standing, top); next !== undefined; next = above(standing, top)) {
    const below = stack.at(-1)?.needs ?? [];
    stack.push({ ...next, needs: stackNeeds(below, next.needs, next.progress) });
    standing.delete(next.progress.onto);
    top = next.progress.commit;
  }
  landing.sort((a, b) => a.place - b.place);
  return { project, landing, stack, aside, stray: [...stray, ...standing.values()], queued, top };
}

function isInQueue({ progress: { at } }: Task): boolean {
  return at === 'queued' || at === 'gating' || at === 'landing';
}

const EMPTY = { landing: [], stack: [], aside: [], stray: [], queued: [] } as const;

/** What has not been found green yet, what decides most first. */
export function unproved(project: Project, { progress, needs }: Stacked): Need[] {
  return openNeeds(project, needs, progress.red);
}

/** The one that came first stands there; the other is returned, whatever the order in which they are met. */
function takePlace(standing: Map<CommitId, Stacked>, one: Stacked): Stacked[] {
  const { onto } = one.progress;
  const there = standing.get(onto);
  if (there !== undefined && there.task.order <= one.task.order) return [one];
  standing.set(onto, one);
  return there === undefined ? [] : [there];
}

function above(standing: ReadonlyMap<CommitId, Stacked>, top: CommitId | null): Stacked | undefined {
  return top === null ? undefined : standing.get(top);
}

/** @param waiting branches that can be stacked now or soon. */
export function viewOf(
  state: State,
  { project, stack, aside }: Queue,
  waiting: number,
  slots: number,
  record: QueueRecord,
): QueueView<Token> {
  const environment = environmentOf(project.config);
  const green = new Set(project.green);
  const busy = underWay(state, [...stack, ...aside]);
  const entry = ({ progress, needs }: Stacked): Entry<Token> => {
    const { token: id, gate, red } = progress;
    const keyed = needs.map((need) => ({ need, key: evidenceKey(need.tree, { ...need, environment }) }));
    const open = keyed.filter(({ key }) => !green.has(key));
    // A red run says nothing any more when its command has been green on the same tree since.
    const stillOpen = open.some(({ need }) => need.host === id && need.verify === red?.verify);
    const stands = red?.environment === environment && stillOpen;
    const awaited = open.length > 0 && open.every(({ key }) => busy.has(key));
    const reds = stands ? red.runs : 0;
    return { id, green: open.length === 0, reds, running: gate !== null || awaited };
  };
  return {
    stack: stack.map(entry),
    aside: aside.map(
      (one): AsideEntry<Token> => ({
        ...entry(one),
        backers: backersOf(state, one.progress.aside?.backers ?? []),
      }),
    ),
    waiting: waiting + aside.length,
    slots,
    record,
  };
}

/** What a queue has shown: its gates' own record, which is durable, together with what this controller has seen. */
export function recordOf(project: Project, seen: ReadonlyMap<ProjectName, QueueRecord>): QueueRecord {
  const known = seen.get(project.name) ?? NO_RECORD;
  const greens = project.gates.reduce((sum, gate) => sum + gate.greens, known.greens);
  const flakes = project.gates.reduce((sum, gate) => sum + gate.flakes, known.flakes);
  return { ...known, greens, flakes };
}

/** What became of the branches with which a suspect was red in a larger set. */
function backersOf({ attempts, tasks }: State, tokens: readonly Token[]): Backers {
  if (tokens.length === 0) return 'none';
  let open = false;
  for (const token of tokens) {
    const key = attempts.get(token)?.task;
    const progress = key === undefined ? undefined : tasks.get(key)?.progress;
    if (progress === undefined || !('token' in progress) || progress.token !== token) return 'bad';
    const { at } = progress;
    const good = at === 'merged' || at === 'landing' || ('cleared' in progress && progress.cleared);
    if (good) continue;
    if (at !== 'queued' && at !== 'gating') return 'bad';
    open = true;
  }
  return open ? 'unjudged' : 'good';
}

/** The next of these to be merged. */
export function firstQueued(
  tasks: readonly Task[],
  { attempts }: State,
): { readonly task: Task; readonly progress: Extract<Progress, { at: 'queued' }> } | null {
  const task = nextToMerge(tasks, attempts);
  return task?.progress.at === 'queued' ? { task, progress: task.progress } : null;
}
