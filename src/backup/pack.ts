/**
 * A backup as a file: packed from a directory, and unpacked into one with every byte checked. The file has its name only
 * when it was unpacked again, its hashes compared, its store read from end to end and its log replayed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DispatchError } from '../model/error.ts';
import { checkStore } from '../store/sqlite/copy.ts';
import { type Manifest, MANIFEST, parseManifest, STORE } from './manifest.ts';

const CHUNK = 1024 * 1024;

/** A new directory beside what it is for, so that a rename out of it costs nothing; the caller removes it. */
export function stagingIn(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return mkdtempSync(join(directory, '.part-'));
}

/**
 * Packs what lies in `stage` and proves that it can be read again.
 * @returns the manifest as written. @throws DispatchError E_BACKUP_BAD, E_STORE_DAMAGED, E_BACKUP_FAILED; no file then.
 */
export function pack(stage: string, head: Omit<Manifest, 'files'>, to: string): Manifest {
  const files = Object.fromEntries(filesBelow(stage).map((path) => [path, digest(join(stage, path))]));
  const manifest: Manifest = { ...head, files };
  writeFileSync(join(stage, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  const part = join(dirname(stage), `${relative(dirname(stage), stage)}.tar.gz`);
  const scratch = stagingIn(dirname(stage));
  try {
    tar(['-czf', part, '-C', stage, '.'], to);
    sync(part);
    unpack(part, scratch);
    renameSync(part, to);
    sync(dirname(to));
    return manifest;
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Unpacks a backup into an empty directory and checks all of it.
 * @throws DispatchError E_BACKUP_BAD with what is wrong, E_STORE_DAMAGED, E_NOT_FOUND.
 */
export function unpack(file: string, into: string): Manifest {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined)
    throw new DispatchError('E_NOT_FOUND', 'there is no such backup', {
      where: file,
      fix: 'dispatch backup --list',
    });
  try {
    tar(['-xzf', file, '-C', into], file);
  } catch (error) {
    throw error instanceof DispatchError ? bad(file, error.why ?? error.message) : error;
  }
  const manifest = readManifest(file, into);
  for (const [path, wanted] of Object.entries(manifest.files)) {
    const stat = lstatSync(join(into, path), { throwIfNoEntry: false });
    if (stat?.isFile() !== true) throw bad(file, `${path} is not in it`);
    const { bytes, sha256 } = digest(join(into, path));
    if (bytes !== wanted.bytes || sha256 !== wanted.sha256) throw bad(file, `${path} is not what was put in`);
  }
  const { schema, events } = checkStore(join(into, STORE));
  if (schema !== manifest.schema || events !== manifest.events)
    throw bad(
      file,
      `its store has ${events} events of schema ${schema}, not ${manifest.events} of ${manifest.schema}`,
    );
  return manifest;
}

function readManifest(file: string, dir: string): Manifest {
  try {
    return parseManifest(readFileSync(join(dir, MANIFEST), 'utf8'));
  } catch (error) {
    throw bad(file, error instanceof SyntaxError ? error.message : `it has no ${MANIFEST}`);
  }
}

/** Paths of all plain files below a directory, in a fixed order. */
function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .toSorted();
}

function digest(path: string): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    let bytes = 0;
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(file);
  }
}

/** No file of macOS' own beside ours, no owners of another machine. */
function tar(args: readonly string[], file: string): void {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', COPYFILE_DISABLE: '1' };
  try {
    execFileSync('tar', ['--no-same-owner', ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const { stderr, code } = cause as { stderr?: Buffer; code?: string };
    const said = stderr?.toString('utf8').trim() ?? '';
    throw new DispatchError('E_BACKUP_FAILED', 'tar failed', {
      where: file,
      why: said === '' ? String(code ?? cause) : said,
      fix: code === 'ENOENT' ? 'install tar' : `look at the disk of ${dirname(file)}`,
      cause,
    });
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function bad(file: string, why: string): DispatchError {
  return new DispatchError('E_BACKUP_BAD', 'the backup cannot be used', {
    where: file,
    why,
    fix: 'take another one: dispatch backup --list',
  });
}
