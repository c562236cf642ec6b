/** Whether files have changed since they were read, without reading them. */
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PENDING } from '../feed/names.ts';

/** Changes with every file of a folder, or with the file. */
export async function signatureOf(home: string, path: string): Promise<string> {
  const full = join(home, path);
  const names = await readdir(full).catch(() => null);
  if (names === null) return stamp(full);
  // What is pending changes nothing before it is fed.
  return names
    .filter((name) => name !== PENDING)
    .sort()
    .map((name) => `${name} ${stamp(join(full, name))}`)
    .join('\n');
}

function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
