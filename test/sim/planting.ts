/** What a planted bug is, and how the accident that shows it is made frequent. */
import type { Accident } from './scenario.ts';
import type { Simulation } from './simulation.ts';

export interface Plant {
  /** What is said when it is found. */
  readonly shows: RegExp;
  readonly plant: (sim: Simulation) => void;
}

/** A kind of accident that few seeds have at the moment that counts. @param everyMs mean milliseconds between two. */
export function often(sim: Simulation, kind: Accident, everyMs: number): void {
  Object.assign(sim.scenario.accidents, { [kind]: everyMs });
}
