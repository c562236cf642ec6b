/** The hub as a directory: how it is made, and what is said when it cannot be used. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DispatchError } from '../model/error.ts';
import { shellWord } from './remote-error.ts';
import { git } from './run.ts';

/** Who merges, and paths that mean what they say. */
export const HUB_ENV: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: 'dispatch',
  GIT_AUTHOR_EMAIL: 'dispatch@localhost',
  GIT_COMMITTER_NAME: 'dispatch',
  GIT_COMMITTER_EMAIL: 'dispatch@localhost',
};

/** Written last, so that a hub whose making was cut short is made again. */
const MARKER = 'dispatch-hub';

/**
 * Attributes that a branch brings must not blind a diff or settle a conflict. The first line of defence is that a bare
 * repository reads none; newer versions of git read those of HEAD, or of `attr.tree`, which name nothing here; and
 * info/attributes outranks them all.
 */
const ATTRIBUTES = '* !diff !merge !filter !working-tree-encoding\n';

export function isHub(dir: string): boolean {
  return existsSync(join(dir, MARKER));
}

/** Makes the bare repository. Doing it again changes nothing. */
export async function createHub(dir: string, format: 'sha1' | 'sha256'): Promise<void> {
  await mkdir(dir, { recursive: true });
  await git(['init', '-q', '--bare', '--template=', `--object-format=${format}`, dir]);
  const settings: readonly (readonly [string, string])[] = [
    ['core.logAllRefUpdates', 'true'],
    ['attr.tree', 'refs/dispatch/none'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
  ];
  for (const [key, value] of settings) await git(['config', key, value], { gitDir: dir });
  await git(['symbolic-ref', 'HEAD', 'refs/dispatch/none'], { gitDir: dir });
  await mkdir(join(dir, 'info'), { recursive: true });
  await writeFile(join(dir, 'info', 'attributes'), ATTRIBUTES);
  await writeFile(join(dir, MARKER), '1\n');
}

export function brokenHub(dir: string, why: string): DispatchError {
  return new DispatchError('E_HUB_BROKEN', `the repository of dispatch at ${dir} cannot be used`, {
    where: dir,
    why,
    fix: `move it away with: mv ${shellWord(dir)} ${shellWord(`${dir}.broken`)} and run the command again`,
  });
}
