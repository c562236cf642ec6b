/** Removes what an attempt made. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Removes a directory with everything in it, read-only directories (Go's module cache makes them) included. Harmless when it is not there. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error;
    // -R follows no link that it meets, and nothing but our own can be changed.
    await run('chmod', ['-R', 'u+rwX', path]);
    await rm(path, { recursive: true, force: true });
  }
}
