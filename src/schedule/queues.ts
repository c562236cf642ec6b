/**
 * The startable tasks in the order in which they would start, one queue per project and executor.
 *
 * A run of 10,000 tasks takes thousands of calls, and each changes a few of them. So the queues are kept with the state
 * they were built from, and brought up to date with what has become startable since: a memo, never an input, since every
 * entry is checked against the state before it is used. An entry's place rests on its urgency, which no passing of time
 * changes (see rank.ts); whatever changes it makes the task startable anew, and so is noted.
 */
import type { ProjectName, TaskKey } from '../model/ids.ts';
import { NotedSet } from '../model/noted-set.ts';
import type { State } from '../model/state.ts';
import type { Task } from '../model/task.ts';
import { Heap } from './heap.ts';
import { urgencyOf } from './rank.ts';
import type { Snapshot } from './snapshot.ts';

export interface Waiting {
  readonly task: Task;
  /** As in a candidate. */
  readonly urgency: number;
  readonly queue: Queue;
}

/** What is startable, as of this snapshot. */
export function waitingQueues(snapshot: Snapshot): Queues {
  const known = kept.get(snapshot.state);
  if (known?.follow(snapshot) === true) return known;
  const queues = new Queues(snapshot);
  if (snapshot.state.startable instanceof NotedSet) kept.set(snapshot.state, queues);
  return queues;
}

const kept = new WeakMap<State, Queues>();

/** The next look sorts anew. */
export function forgetQueues(state: State): void {
  kept.delete(state);
}

export class Queues {
  readonly #chainMs: Snapshot['chainMs'];
  readonly #queues = new Map<string, Queue>();
  /** The one valid entry of each task; others of it in the heaps are stale. */
  readonly #entries = new Map<TaskKey, Waiting>();
  /** Additions to `startable` that are in. */
  #seen = 0;

  constructor(snapshot: Snapshot) {
    const { state, chainMs } = snapshot;
    this.#chainMs = chainMs;
    if (state.startable instanceof NotedSet) this.#seen = state.startable.additions;
    for (const key of state.startable) this.#enter(key, snapshot);
  }

  /** Takes in what has become startable since; false when that cannot be told. */
  follow(snapshot: Snapshot): boolean {
    const { startable } = snapshot.state;
    if (!(startable instanceof NotedSet) || snapshot.chainMs !== this.#chainMs) return false;
    const added = startable.addedAfter(this.#seen);
    if (added === null) return false;
    this.#seen = startable.additions;
    for (const key of added) this.#enter(key, snapshot);
    for (const queue of this.#queues.values()) queue.restore();
    return true;
  }

  /** In no particular order; some may be empty. */
  all(): Iterable<Queue> {
    return this.#queues.values();
  }

  #enter(key: TaskKey, { state, chainMs }: Snapshot): void {
    const task = state.tasks.get(key);
    if (task === undefined || !state.startable.has(key)) return;
    const urgency = urgencyOf(task, chainMs);
    const queue = this.#queueOf(task, state);
    const known = this.#entries.get(key);
    if (known?.task === task && known.urgency === urgency && known.queue === queue) return;
    const entry = { task, urgency, queue };
    this.#entries.set(key, entry);
    queue.push(entry);
  }

  #queueOf({ spec: { project, executor } }: Task, state: State): Queue {
    const name = `${project}/${executor}`;
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(project, executor, (entry) => this.#isValid(entry, state));
    this.#queues.set(name, queue);
    return queue;
  }

  #isValid(entry: Waiting, state: State): boolean {
    const { key } = entry.task;
    if (this.#entries.get(key) !== entry) return false;
    if (state.startable.has(key)) return true;
    this.#entries.delete(key);
    return false;
  }
}

/** One project's tasks for one executor. What is taken in a call is back in the next one, if it is still startable. */
export class Queue {
  readonly project: ProjectName;
  readonly executor: string;
  readonly #isValid: (entry: Waiting) => boolean;
  #heap = new Heap<Waiting>([], compareWaiting);
  #taken: Waiting[] = [];

  constructor(project: ProjectName, executor: string, isValid: (entry: Waiting) => boolean) {
    this.project = project;
    this.executor = executor;
    this.#isValid = isValid;
  }

  push(entry: Waiting): void {
    this.#heap.push(entry);
  }

  /** The most urgent task that has not been taken; undefined when there is none. */
  peek(): Waiting | undefined {
    for (;;) {
      const entry = this.#heap.peek();
      if (entry === undefined || this.#isValid(entry)) return entry;
      this.#heap.pop();
    }
  }

  /** Takes what `peek` shows, for the rest of the call. */
  take(): void {
    const entry = this.#heap.pop();
    if (entry !== undefined) this.#taken.push(entry);
  }

  /** Puts back what was taken; what has started meanwhile falls out at the next look. */
  restore(): void {
    this.#heap.pushAll(this.#taken);
    this.#taken = [];
  }
}

function compareWaiting(a: Waiting, b: Waiting): number {
  return a.urgency === b.urgency ? a.task.order - b.task.order : a.urgency - b.urgency;
}
