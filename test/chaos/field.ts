/** An arena of machines with its controller: on a small disk of its own, under a clock of its own. */
import { join } from 'node:path';
import { SmallDisk } from '../cluster/disk.ts';
import type { Arena } from './arena.ts';
import type { Controller } from './controller.ts';
import type { Field } from './faults.ts';
import { Clock, clockVariables, compileLibrary } from './machine.ts';
import type { Report } from './report.ts';

export interface FieldOptions {
  /** Size of the disk that the controller keeps its state on. */
  readonly disk: string;
  /** From the end of a controller to the next one, milliseconds. */
  readonly restartMs?: number;
}

/** The controller begins to work. */
export function openField(
  arena: Arena,
  report: Report,
  { disk: size, restartMs = 1000 }: FieldOptions,
): Field {
  const { home, rng } = arena;
  const disk = new SmallDisk(join(home.dir, '.dispatch'), size, (unmount) => arena.atEnd(unmount));
  const library = join(home.base, 'machine.so');
  compileLibrary(library);
  const clock = new Clock(join(home.base, 'clock'));
  const variables = Object.entries(clockVariables(clock, library)).map(([name, value]) => `${name}=${value}`);
  const controller: Controller = arena.keep({
    launcher: ['env', ...variables],
    restartMs: () => restartMs,
  });
  return { arena, controller, disk, clock, report, rng };
}
