/** Files that must be whole after a crash. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Replaces the file in one step: a reader sees the old content or the new, never a part. Survives a crash of this process, not of the machine. */
export function replaceFile(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    // On a full disk half of it would stay, until the same file is written again.
    rmSync(`${path}.new`, { force: true });
    throw error;
  }
}

/** The same, and on disk when it returns. */
export function replaceFileDurably(path: string, text: string): void {
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
  syncDirectory(dirname(path));
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The file's text, or null when it does not exist. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Bytes of a file that an agent wrote for us. */
const OWN_BYTES = 1024 * 1024;

/**
 * Text of a file in a place that an agent can write; null for anything but a plain file: a link, a pipe that would be
 * waited at. Of a longer one than `most` bytes there is nothing, or with `beginning` the whole lines of its beginning.
 */
export function readOwnFile(
  path: string,
  { most = OWN_BYTES, beginning = false }: { readonly most?: number; readonly beginning?: boolean } = {},
): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || (stat.size > most && !beginning)) return null;
    const buffer = Buffer.alloc(Math.min(stat.size, most));
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
    // The line that was cut may hold half of a key.
    return stat.size > most ? text.slice(0, Math.max(0, text.lastIndexOf('\n'))) : text;
  } finally {
    closeSync(fd);
  }
}
