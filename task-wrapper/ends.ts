/** Reads files that may be large without reading all of them. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Bytes of the file; 0 when it does not exist. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The text from byte `from` on, at most `max` bytes of it: a quarter from the beginning and the rest from the end. */
export function readEnds(path: string, from: number, max: number): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(fd);
    if (size - from <= max) return readAt(fd, from, size - from);
    const head = Math.floor(max / 4);
    const tail = max - head;
    return `${readAt(fd, from, head)}\n[... ${size - from - max} bytes left out ...]\n${readAt(fd, size - tail, tail)}`;
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, at: number, length: number): string {
  if (length <= 0) return '';
  const buffer = Buffer.allocUnsafe(length);
  return buffer.toString('utf8', 0, readSync(fd, buffer, 0, length, at));
}
