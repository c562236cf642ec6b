import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a program is, as an attempt would find it; null when it is not there. */
export function findProgram(name: string): string | null {
  const dirs = name.includes('/')
    ? ['']
    : (process.env.PATH ?? '').split(':').filter((dir) => dir.startsWith('/'));
  for (const dir of dirs) {
    const path = dir === '' ? name : join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this directory.
    }
  }
  return null;
}
