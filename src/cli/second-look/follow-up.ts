/** Puts specs that mend what a second look found into pending/, beside those that a person or `split` wrote. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PENDING } from '../../feed/names.ts';
import { placeNew } from '../../feed/place.ts';
import { taskKey, type TaskId } from '../../model/ids.ts';
import { DEFAULT_LOOK } from '../../model/second-look.ts';
import type { State } from '../../model/state.ts';
import type { Project } from '../../model/task.ts';
import { followUpOf } from '../../review/follow-up.ts';
import type { Looked } from './look-merged.ts';

/** @returns files written, relative to the home; null where nothing is to be mended by a spec. */
export async function writeFollowUp(
  home: string,
  state: State,
  { name, config }: Project,
  { task, look }: Pick<Looked, 'task' | 'look'>,
): Promise<string | null> {
  const specs = join(home, 'specs', name);
  const pending = join(specs, PENDING);
  await mkdir(pending, { recursive: true });
  const files = new Set(
    [...(await readdir(pending)), ...(await readdir(specs))].map((file) => file.toLowerCase()),
  );
  const ids = new Set([...state.tasks.keys()].map((key) => key.toLowerCase()));
  const taken = (id: string): boolean =>
    files.has(`${id}.md`.toLowerCase()) || ids.has(taskKey(name, id as TaskId).toLowerCase());
  const followUp = followUpOf(task.spec, look, config.look ?? DEFAULT_LOOK, taken);
  if (followUp === null) return null;
  const file = `${followUp.id}.md`;
  return (await placeNew(pending, file, followUp.text)) ? `specs/${name}/${PENDING}/${file}` : null;
}
