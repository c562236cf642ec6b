import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DispatchError } from '../model/error.ts';
import type { Environment } from './environment.ts';
import type { Settings } from './settings.ts';

/**
 * The home to work in: the one that was named, or the nearest directory upwards that has nodes.json and specs/.
 * @returns an absolute path.
 * @throws DispatchError E_NO_HOME.
 */
export function findHome(environment: Environment, settings: Settings): string {
  if (settings.home !== null) return namedHome(settings.home);
  const found = searchUpwards(environment.cwd);
  if (found !== null) return found;
  throw new DispatchError('E_NO_HOME', 'no dispatch home here', {
    where: environment.cwd,
    why: 'neither this directory nor one above it has nodes.json and specs/',
    fix: 'dispatch init   (or name one: --home DIR, DISPATCH_HOME)',
  });
}

/** As findHome, null instead of an error when none was named and none is above. */
export function searchUpwards(from: string): string | null {
  for (let directory = from; ; directory = dirname(directory)) {
    if (isFile(join(directory, 'nodes.json')) && isDirectory(join(directory, 'specs'))) return directory;
    if (dirname(directory) === directory) return null;
  }
}

/** A home as a person in `cwd` would type it. */
export function homeFlag(environment: Environment, home: string): string {
  if (searchUpwards(environment.cwd) === home) return '';
  const path = relative(environment.cwd, home);
  return ` --home ${path === '' ? '.' : path.startsWith('..') ? home : path}`;
}

/** A named home that lacks one of its two parts is still the one that was meant: what lacks is reported by whoever needs it. */
function namedHome({ path, from }: { path: string; from: string }): string {
  const complaint = !existsSync(path)
    ? 'the directory does not exist'
    : !isDirectory(path)
      ? 'it is not a directory'
      : !existsSync(join(path, 'nodes.json')) && !existsSync(join(path, 'specs'))
        ? 'it has neither nodes.json nor specs/'
        : null;
  if (complaint === null) return path;
  throw new DispatchError('E_NO_HOME', 'no dispatch home there', {
    where: `${path} (from ${from})`,
    why: complaint,
    fix: `dispatch init --home ${path}`,
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
