/** Reads what an agent left in its notes directory, which it may have filled with anything: links, pipes, gigabytes. */
import { lstatSync } from 'node:fs';
import { cleanNotes, EVIDENCE_FILE, PLAN_FILE } from '../src/executors/notes.ts';
import type { Notes } from '../src/model/attempt.ts';
import { type CageLevel, cageLevel } from '../src/model/cage.ts';
import type { ExecutorDef } from '../src/model/executor.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import { readOwnFile } from './durable.ts';
import { resolveSecrets } from './environment.ts';
import type { Root } from './root.ts';

/** Far more than is kept. */
const READ_BYTES = 64 * 1024;

/** A directory that the agent can write in its cage. `read` is where that is outside. */
export function notesPlace(
  dir: string,
  level: CageLevel,
): { readonly inside: string; readonly read: string } {
  return level === 'strict'
    ? { inside: '/tmp/notes', read: `${dir}/tmp/notes` }
    : { inside: `${dir}/notes`, read: `${dir}/notes` };
}

/**
 * The notes, cleaned; null when there are none.
 * @param lastWords what the agent said last, which stands for evidence that it did not write down.
 */
export function readNotes(
  root: Root,
  dir: string,
  { cage, executor }: Pick<WorkOrder, 'cage' | 'executor'>,
  lastWords: string | null,
): Notes | null {
  const notes = notesPlace(dir, cageLevel(cage, executor)).read;
  const isOwn = lstatSync(notes, { throwIfNoEntry: false })?.isDirectory() === true;
  const read = (name: string): string | null =>
    isOwn ? readOwnFile(`${notes}/${name}`, { most: READ_BYTES, beginning: true }) : null;
  return cleanNotes(
    { plan: read(PLAN_FILE), evidence: read(EVIDENCE_FILE) ?? lastWords },
    valuesOf(root, executor),
  );
}

/** The keys that the agent was given; one that is gone meanwhile cannot be looked for. */
function valuesOf(root: Root, { secrets }: ExecutorDef): string[] {
  return Object.entries(secrets).flatMap(([variable, source]) => {
    try {
      return Object.values(resolveSecrets(root, { [variable]: { ...source, optional: true } }));
    } catch {
      return [];
    }
  });
}
