/** A project's queue as the planner sees it, read from the facts of its tasks. */
import { environmentOf, evidenceKey, isProved, verifyOf } from '../../model/evidence.ts';
import type { CommitId, Token } from '../../model/ids.ts';
import type { Gating, Progress, Project, Task } from '../../model/task.ts';
import { nextToMerge } from '../order.ts';
import type { AsideEntry, Entry, QueueView } from './plan.ts';
import type { QueueRecord } from './record.ts';

/** A branch that has been merged tentatively, with its task. */
export interface Stacked {
  readonly task: Task;
  readonly progress: Gating;
  /**
   * Commands that its tree has to pass, each once: its own; on the stack those of all below it, since all of them land
   * as this tree; and those that were red on it or on the stack above it, or the one to blame would not be found.
   */
  readonly commands: readonly string[];
}

export type Landing = Extract<Progress, { at: 'landing' }>;

export interface Queue {
  readonly project: Project;
  /** Landing has been decided and is not reported yet; in the order of the stack. */
  readonly landing: readonly Landing[];
  /** From the bottom. */
  readonly stack: readonly Stacked[];
  readonly aside: readonly Stacked[];
  /** They stand on something that is not there any more. */
  readonly stray: readonly Stacked[];
  readonly queued: readonly Task[];
  /** What the next branch is stacked on; null before the hub is set up. */
  readonly top: CommitId | null;
}

/** Sorts a project's active tasks by their place in the queue; linear in them. */
export function queueOf(project: Project, active: Iterable<Task>): Queue {
  const landing: Landing[] = [];
  const queued: Task[] = [];
  const aside: Stacked[] = [];
  const standing = new Map<CommitId, Stacked>();
  const stray: Stacked[] = [];
  let top = project.integration;
  for (const task of active) {
    const { progress } = task;
    if (progress.at === 'queued') queued.push(task);
    else if (progress.at === 'landing') {
      landing.push(progress);
      top = progress.commit;
    } else if (progress.at !== 'gating') continue;
    else {
      const commands = [verifyOf(task.spec, project.config)];
      if (progress.aside !== null) aside.push({ task, progress, commands });
      else stray.push(...takePlace(standing, { task, progress, commands }));
    }
  }
  const stack: Stacked[] = [];
  for (let next = above(standing, top); next !== undefined; next = above(standing, top)) {
    stack.push({ ...next, commands: union(stack.at(-1)?.commands ?? [], next.commands) });
    standing.delete(next.progress.onto);
    top = next.progress.commit;
  }
  landing.sort((a, b) => a.place - b.place);
  return {
    project,
    landing,
    stack: withReds(stack, project),
    aside: aside.flatMap((one) => withReds([one], project)),
    stray: [...stray, ...standing.values()],
    queued,
    top,
  };
}

/** @param stack from the bottom. What was red in another environment than the project's now does not count. */
function withReds(stack: readonly Stacked[], { config }: Project): Stacked[] {
  let reds: readonly string[] = [];
  return stack
    .toReversed()
    .map((one) => {
      const { red } = one.progress;
      if (red !== null && red.environment === environmentOf(config)) reds = union(reds, [red.verify]);
      return reds.length === 0 ? one : { ...one, commands: union(one.commands, reds) };
    })
    .toReversed();
}

/** The same list while there is nothing to add: long stacks have few commands. */
function union(list: readonly string[], more: readonly string[]): readonly string[] {
  const fresh = more.filter((verify) => !list.includes(verify));
  return fresh.length === 0 ? list : [...list, ...fresh];
}

/** The commands that its tree has not passed yet: the one that was red first, because its answer decides most. */
export function unproved(project: Project, { progress, commands }: Stacked): string[] {
  const open = commands.filter((verify) => !isProved(project, progress.tree, verify));
  const red = progress.red?.verify;
  return red === undefined || !open.includes(red) ? open : [red, ...open.filter((verify) => verify !== red)];
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
  { project, stack, aside }: Queue,
  waiting: number,
  slots: number,
  record: QueueRecord,
): QueueView<Token> {
  const environment = environmentOf(project.config);
  const green = new Set(project.green);
  const entry = ({ progress, commands }: Stacked): Entry<Token> => ({
    id: progress.token,
    green: commands.every((verify) => green.has(evidenceKey(progress.tree, { verify, environment }))),
    reds: progress.red?.environment === environment ? progress.red.runs : 0,
    running: progress.gate !== null,
  });
  return {
    stack: stack.map(entry),
    aside: aside.map(
      (one): AsideEntry<Token> => ({
        ...entry(one),
        backed: one.progress.aside?.backed ?? false,
      }),
    ),
    waiting: waiting + aside.length,
    slots,
    record,
  };
}

/** The next of these to be merged. */
export function firstQueued(
  tasks: readonly Task[],
): { readonly task: Task; readonly progress: Extract<Progress, { at: 'queued' }> } | null {
  const task = nextToMerge(tasks);
  return task?.progress.at === 'queued' ? { task, progress: task.progress } : null;
}
