import type { Event, NewEvent } from '../model/event.ts';
import type { TaskKey } from '../model/ids.ts';
import type { State } from '../model/state.ts';

/** Who controls a home now. */
export interface Lease {
  /** Only grows; every write of a controller carries it. */
  readonly epoch: number;
  readonly host: string;
  readonly pid: number;
  /** Wall clock, milliseconds. */
  readonly since: number;
}

export interface ReplayDifference {
  /** Table and key, `tasks p/S01`. */
  readonly what: string;
  readonly field: string;
  readonly fromEvents: unknown;
  readonly stored: unknown;
  /** The event that gave the field the value that the log says; missing where no single one did. */
  readonly event?: { readonly seq: number; readonly type: string };
}

export interface TaskName {
  readonly name: string;
  readonly title: string;
}

/**
 * The state of a home, durable. Methods are asynchronous because another implementation talks to a server. An
 * implementation applies events to its own tables in the same transaction that appends them, so that a reader that
 * never saw the events (status, report) and a replay agree.
 */
export interface Store {
  /**
   * Becomes the one controller.
   * @throws DispatchError E_CONTROLLER_RUNNING naming host, pid and since when, while another live one holds the lease.
   */
  acquire(host: string, pid: number, now: number): Promise<Lease>;
  /** Gives the lease back; harmless when it is lost already. */
  release(lease: Lease): Promise<void>;
  /** Who holds the lease now, if anybody. */
  holder(): Promise<Lease | null>;

  /**
   * Appends the events and updates every table, in one durable transaction; all or nothing. The state passed is the one
   * that already has these events applied (`evolve`), from which changed rows are written.
   * @returns the seq of the last event.
   * @throws DispatchError E_FENCED when a higher epoch has taken over; E_NO_SPACE when the disk is full (nothing is written).
   */
  commit(lease: Lease, events: readonly NewEvent[], state: State): Promise<number>;

  /** State as the tables have it. */
  load(): Promise<State>;
  /** Tasks whose id, or key if `begin` has a slash, begins so: that name and the title, in order of arrival. For menus. */
  taskNames(begin: string, limit: number): Promise<readonly TaskName[]>;
  /** Text of a task's spec as it was accepted last. */
  specText(task: TaskKey): Promise<string | null>;

  /** Events with seq > `after`, in order, at most `limit`. */
  events(after: number, limit: number): Promise<readonly Event[]>;
  /** Events that concern one task, in order. */
  eventsOf(task: TaskKey): Promise<readonly Event[]>;

  /** Rebuilds the state from the events alone and compares it with the tables; what the earliest event says first. Empty = equal. */
  replayCheck(): Promise<readonly ReplayDifference[]>;

  close(): Promise<void>;
}

/** What verbs of other processes may do while a controller writes: everything that only reads. */
export type Reader = Pick<
  Store,
  'load' | 'taskNames' | 'events' | 'eventsOf' | 'specText' | 'holder' | 'replayCheck' | 'close'
>;
