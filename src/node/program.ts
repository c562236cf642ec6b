import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DispatchError } from '../model/error.ts';

/** The node-side program as it was built: what the controller ships, under the hash of its content. */
export interface NodeProgram {
  /** sha256 of both files, 64 hexadecimal digits; part of their names on the node. */
  readonly hash: string;
  readonly wrapper: Buffer;
  readonly launch: Buffer;
}

const HASH = /^[0-9a-f]{64}$/;

/**
 * Reads the built program. @param directory where task-wrapper.json lies.
 * @throws DispatchError E_NODE_PROGRAM when it is missing or its content has another hash.
 */
export async function loadProgram(directory: string = distDirectory()): Promise<NodeProgram> {
  const file = join(directory, 'task-wrapper.json');
  let hash: string;
  let wrapper: Buffer;
  let launch: Buffer;
  try {
    const names = JSON.parse(await readFile(file, 'utf8')) as {
      hash: string;
      wrapper: string;
      launch: string;
    };
    hash = names.hash;
    [wrapper, launch] = await Promise.all([
      readFile(join(directory, names.wrapper)),
      readFile(join(directory, names.launch)),
    ]);
  } catch (cause) {
    throw broken(file, 'it cannot be read', cause);
  }
  const content = createHash('sha256').update(wrapper).update('\0').update(launch).digest('hex');
  if (!HASH.test(hash) || content !== hash) throw broken(file, 'the files are not those that were built');
  return { hash, wrapper, launch };
}

/** bootstrap.sh as it was built, for machines that are not nodes yet. @throws DispatchError E_NODE_PROGRAM. */
export async function loadBootstrap(directory: string = distDirectory()): Promise<Buffer> {
  const file = join(directory, 'bootstrap.sh');
  try {
    return await readFile(file);
  } catch (cause) {
    throw broken(file, 'it cannot be read', cause);
  }
}

/** Beside the running program, wherever the bundler put this module, or in `dist/` of the source tree. */
function distDirectory(): string {
  const given = process.env.DISPATCH_DIST;
  if (given !== undefined && given !== '') return given;
  const here = dirname(fileURLToPath(import.meta.url));
  const places = [here, join(here, '..'), join(here, '../../dist')];
  return places.find((place) => existsSync(join(place, 'task-wrapper.json'))) ?? here;
}

function broken(file: string, why: string, cause?: unknown): DispatchError {
  return new DispatchError('E_NODE_PROGRAM', 'the program for nodes is not there', {
    where: file,
    why,
    fix: 'install dispatch again, or build it: npm run build',
    cause,
  });
}
