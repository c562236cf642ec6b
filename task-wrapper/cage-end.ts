/** The end of an agent's cage: what is left in it is ended, and a bound that it met is named. */
import { existsSync } from 'node:fs';
import { type CageLimit, cageLevel, type CageLimits, DEFAULT_CAGE } from '../src/model/cage.ts';
import { formatSize } from '../src/model/size.ts';
import { assertNever } from '../src/model/assert.ts';
import { stripControls } from '../src/gates/shorten.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { readIfThere } from './durable.ts';
import { readEnds } from './ends.ts';
import { isPlain, type Recorded } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { groupMet, removeGroup } from './sandbox-group.ts';
import { scopeMet, stopScope } from './scope.ts';
import type { StepEnd } from './step.ts';

/** What a shell says of a command that wrote past the bound of a file: 128 and SIGXFSZ. */
const FILE_TOO_LARGE = 128 + 25;
/** Bytes of the log that bwrap's own last words are looked for in. */
const WORDS_BYTES = 4096;

/** Name of the step's control group, and of its scope. */
export function groupName({ token }: Recorded, step: string): string {
  return `${token}_${step}`;
}

/**
 * Ends what the step has left in its control group, and gives the group back. Harmless when it is asked twice.
 * @returns the bound that it met; null: none that is known.
 */
export function endCage(root: Root, order: Recorded, step: string, end: StepEnd | null): CageLimit | null {
  const met = hasGroup(order) ? endGroup(root, order, step) : null;
  if (end === null || met !== null) return met;
  if ('by' in end) return end.by === 'disk' ? 'disk' : null;
  return end.code === FILE_TOO_LARGE ? 'file-size' : null;
}

/** The cheap tasks without a repository have none unless the project asks. */
export function hasGroup(order: Recorded): boolean {
  const { work } = order;
  return (
    work.kind === 'work' && (!isPlain(order) || work.cage !== undefined || work.executor.cage !== undefined)
  );
}

function endGroup(root: Root, order: Recorded, step: string): CageLimit | null {
  const name = groupName(order, step);
  const scope = `${attemptDir(root, order.token)}/${step}.scope`;
  const met = groupMet(name) ?? scopeMet(scope);
  removeGroup(name);
  if (existsSync(scope)) stopScope(`dispatch-${name}`);
  return met;
}

/** What a person is told of the bound. */
export function limitText(limit: CageLimit, work: WorkOrder): string {
  const { limits } = work.cage ?? DEFAULT_CAGE;
  return `${metText(limit, limits)} (cage.limits in project.yaml)`;
}

function metText(limit: CageLimit, { memory, processes, disk, fileSize }: CageLimits): string {
  switch (limit) {
    case 'memory':
      return `its memory ran out: all its processes together may have ${formatSize(memory ?? 8 * 1024 ** 3)} here, and the kernel ended one`;
    case 'processes':
      return `it was refused another process: it may have ${processes} at once`;
    case 'disk':
      return `its tree, HOME and /tmp outgrew ${formatSize(disk)}, so it was ended`;
    case 'file-size':
      return `it wrote a file past ${formatSize(fileSize)}`;
    default:
      return assertNever(limit);
  }
}

/** Why a step in `cage: strict` never ran: bwrap itself fails with 1, as an agent does. null: it ran, or there was no such cage. */
export function cageUnbuilt(
  root: Root,
  order: Recorded,
  work: WorkOrder,
  step: string,
  end: StepEnd,
): string | null {
  if (cageLevel(work.cage, work.executor) !== 'strict' || process.platform === 'darwin') return null;
  if (!('code' in end) || end.code === 0) return null;
  const dir = attemptDir(root, order.token);
  if (readIfThere(`${dir}/${step}.cage`)?.includes('"exit-code"') !== false) return null;
  const said = stripControls(readEnds(`${dir}/agent.log`, 0, WORDS_BYTES))
    .trim()
    .split('\n')
    .at(-1);
  return `the cage of the agent could not be built: ${said}`;
}
