/** Commits that fail in the midst of their statements, or are reported as failed when they are durable. */
import type { NewEvent } from '../../src/model/event.ts';
import type { State } from '../../src/model/state.ts';
import type { Lease } from '../../src/store/port.ts';
import type { Rng } from './rng.ts';
import type { Simulation } from './simulation.ts';

/** As EIO of a disk: whoever meets it cannot go on. */
export class BrokenDisk extends Error {}

/** Most reads of the state that go well first: statements are written between them. */
const READS = 3;

interface Commit {
  readonly lease: Lease;
  readonly events: readonly NewEvent[];
  readonly state: State;
}

/**
 * Commits; or breaks on the way, and then nothing of it may be in the store.
 * @param breaks null: it does not break. Where it breaks and this returns, the commit is durable, and nobody is told.
 * @throws BrokenDisk, or what the store throws.
 */
export async function commitOrBreak(
  { store, faults }: Simulation,
  breaks: Rng | null,
  { lease, events, state }: Commit,
): Promise<void> {
  if (breaks === null) return void (await store.commit(lease, events, state));
  const halfWay = breaks.chance(0.5);
  try {
    await store.commit(lease, events, halfWay ? breakingAfter(breaks.int(READS), state) : state);
    faults.specify('reported as failed');
  } catch (error) {
    faults.specify('half-way');
    throw error;
  }
}

/** A state that can be read so many times: a commit reads it row by row as it writes. */
function breakingAfter(reads: number, state: State): State {
  let left = reads;
  const breaking = <K, V>(map: Map<K, V>): Map<K, V> => {
    const get = (key: K): V | undefined => {
      if (left === 0) throw new BrokenDisk('it broke before COMMIT');
      left -= 1;
      return map.get(key);
    };
    return Object.assign(new Map(map), { get });
  };
  const { projects, tasks, attempts, nodes } = state;
  return {
    ...state,
    projects: breaking(projects),
    tasks: breaking(tasks),
    attempts: breaking(attempts),
    nodes: breaking(nodes),
  };
}
