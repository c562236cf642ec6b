/**
 * The HOME of an attempt: empty but for what its executor says it needs of the home of the node's user, as copies. What an
 * agent does to its login or its settings stays its own affair, and ends with the attempt.
 */
import { cpSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { removeTree } from './remove.ts';

export class HomeRefused extends Error {
  override readonly name = 'HomeRefused';
}

/** Logins and settings are small; a cache that is copied for every attempt is a mistake. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Makes the home anew.
 * @param files paths below the home of the node's user; those that are not there are left out.
 * @throws HomeRefused when they are too large to be copied for every attempt.
 */
export async function makeHome(home: string, files: readonly string[]): Promise<void> {
  await removeTree(home);
  mkdirSync(home, { mode: 0o700 });
  const room = { bytes: MOST_BYTES };
  for (const path of files)
    copyFrom(`${process.env.HOME ?? homedir()}/${path}`, `${home}/${path}`, path, room);
}

function copyFrom(from: string, to: string, path: string, room: { bytes: number }): void {
  const stat = statSync(from, { throwIfNoEntry: false });
  if (stat === undefined) return;
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  cpSync(realpathSync(from), to, {
    recursive: true,
    // Sockets and pipes of a running program are no settings.
    filter: (one) => {
      const found = lstatSync(one);
      if (found.isFile()) room.bytes -= found.size;
      if (room.bytes < 0)
        throw new HomeRefused(
          `~/${path} is too large to be copied for every attempt: at most ${MOST_BYTES / 1024 ** 2} MiB; show it with cage.read_only instead`,
        );
      return found.isFile() || found.isDirectory() || found.isSymbolicLink();
    },
  });
}
