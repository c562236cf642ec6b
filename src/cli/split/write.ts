/** Puts specs into pending/, with the plan beside them. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PENDING, PLAN_MARK, PLAN_NAME } from '../../feed/names.ts';
import { placeNew, placeOver } from '../../feed/place.ts';
import { DispatchError } from '../../model/error.ts';
import type { TaskSpec } from '../../model/spec.ts';

/**
 * Each file appears whole, dependencies first, so that whoever feeds meanwhile never sees one whose dependency is not there.
 * @throws DispatchError E_FEED_NAME_TAKEN when somebody has put a file of the same name there since it was judged.
 */
export async function writePending(
  home: string,
  project: string,
  specs: readonly { readonly spec: TaskSpec; readonly text: string }[],
  plan: string,
): Promise<void> {
  const folder = join(home, 'specs', project, PENDING);
  await mkdir(folder, { recursive: true });
  for (const { spec, text } of specs) {
    const name = spec.file.slice(spec.file.lastIndexOf('/') + 1);
    if (await placeNew(folder, name, text)) continue;
    throw new DispatchError('E_FEED_NAME_TAKEN', `${name} is there already`, {
      where: folder,
      why: 'somebody wrote it while the model was asked; it is left as it is, and so are the specs after it',
      fix: 'rename or feed that file, and split again',
    });
  }
  const before = await readFile(join(folder, PLAN_NAME), 'utf8').catch(() => PLAN_MARK);
  // A README that a person wrote stays.
  if (before.startsWith(PLAN_MARK)) await placeOver(folder, PLAN_NAME, `${PLAN_MARK}\n${plan}`);
}
