/** What the sorts of chaos on machines have in common: a field, blows in a row until all are struck, and a judgement. */
import { setTimeout as passing } from 'node:timers/promises';
import { until } from '../cluster/until.ts';
import type { Arena, ArenaOptions } from './arena.ts';
import type { Field } from './faults.ts';
import { openField } from './field.ts';
import { Hits } from './hits.ts';
import { judgeMachines } from './judge-machines.ts';
import type { Report } from './report.ts';

/** Machines with little room, of which little is kept in reserve, so that a disk is full when it is full. */
export const MACHINES: NonNullable<ArenaOptions['machines']> = {
  disk: '512m',
  env: { DISPATCH_RESERVE_BYTES: String(4 * 2 ** 20) },
};

/** The last tasks wait for the last blow, so that there is something to lose when it comes. */
const STRUCK = 'struck';
const WAITING = 2;

/** @param tasks how many there are. */
export function awaitingTheLast(tasks: number): Pick<ArenaOptions, 'tasks' | 'awaits'> {
  return { tasks, awaits: (n) => (n >= tasks - WAITING ? STRUCK : null) };
}

const HEALING_MS = 20 * 60_000;

export interface Blows {
  readonly field: Field;
  readonly hits: Hits;
  /** The run is over: there is nobody left to strike. */
  readonly isOver: () => boolean;
}

/** Strikes, waits for the end, and judges. What is told while it runs goes to `told` of the field's controller. */
export async function onMachines(
  arena: Arena,
  report: Report,
  strike: (blows: Blows) => Promise<void>,
): Promise<Field> {
  const field = openField(arena, report, { disk: '128m' });
  const { controller } = field;
  const hits = new Hits(arena, controller, report);
  let isOver = false;
  const over = controller.over.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  try {
    await until('that an agent works', () => isOver || arena.home.executions().length > 0, HEALING_MS);
    await strike({ field, hits, isOver: () => isOver });
    report.expect(!isOver, 'the run was over before the last blow');
    arena.home.mark(STRUCK);
    const code = await Promise.race([over, passing(HEALING_MS, 'late' as const, { ref: false })]);
    report.expect(code !== 'late', `it was not over ${HEALING_MS / 60_000} minutes after the last blow`);
  } finally {
    hits.stop();
  }
  await controller.stop();
  for (const { code, stderr } of controller.ownEnds)
    report.violation(`a controller ended by itself with ${code}: ${stderr}`);
  report.figure('attempts lost', hits.total, '');
  await judgeMachines(arena, report);
  return field;
}
