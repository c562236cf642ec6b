/** The simulator, as the command line sees it: a bundle of its own beside the program, which only `dispatch sim` loads. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DispatchError } from '../model/error.ts';

export interface Simulator {
  /** These seeds on all cores; what fails is made smaller. */
  many(asked: { readonly from: number; readonly seeds: number }): Promise<SimulatedSeeds>;
  /** One seed. @param asked.only ids of the faults and tasks that it may have, with commas; everything by default. */
  one(asked: { readonly seed: number; readonly only?: string }): Promise<SimulatedSeed>;
}

export interface SimulatedSeeds {
  readonly from: number;
  readonly seeds: number;
  /** Of the sources that were run. */
  readonly commit: string;
  readonly steps: number;
  readonly events: number;
  readonly virtualHours: number;
  /** Of the virtual time, the share in which something was at work. */
  readonly workedShare: number;
  readonly cpuSeconds: number;
  /** Processor time of one seed, milliseconds. */
  readonly cpuMsMedian: number;
  readonly cpuMsMost: number;
  readonly seconds: number;
  readonly cores: number;
  /** How many tasks ended as what. */
  readonly ends: Readonly<Record<string, number>>;
  /** How often each kind of fault came up. */
  readonly faults: Readonly<Record<string, number>>;
  /** Kinds that never did, where there were enough seeds to tell: then the simulator tests less than it says. */
  readonly never: readonly string[];
  readonly failed: readonly number[];
  /** The first of them, made smaller. */
  readonly failures: readonly SimulatedFailure[];
  /** All of it for a person. */
  readonly text: string;
}

export interface SimulatedFailure {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Faults and tasks that are enough to see the first of them. */
  readonly only: readonly string[];
  /** Of the run with only these: it is the same each time. */
  readonly digest: string;
  readonly again: string;
  readonly text: string;
}

export interface SimulatedSeed {
  readonly seed: number;
  readonly commit: string;
  readonly digest: string;
  readonly violations: readonly string[];
  /** Virtual milliseconds. */
  readonly elapsed: number;
  readonly worked: number;
  readonly steps: number;
  readonly struck: readonly { readonly id: string; readonly at: number; readonly what: string }[];
  /** Asked for by `only`, and never met: then this is not the run that named them. */
  readonly missed: readonly string[];
  readonly again: string;
  readonly text: string;
}

/** @throws DispatchError E_NOT_FOUND where the program was not built. */
export async function loadSimulator(): Promise<Simulator> {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = [here, dirname(here)].map((directory) => join(directory, 'sim.js')).find(existsSync);
  if (file === undefined)
    throw new DispatchError('E_NOT_FOUND', 'the simulator is not built', {
      where: here,
      fix: 'in a clone of dispatch: make build, then node dist/dispatch.js sim; or make sim',
    });
  const { simulator } = (await import(pathToFileURL(file).href)) as { simulator: Simulator };
  return simulator;
}
