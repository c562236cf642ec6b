/**
 * Keeps an attempt's output within its cap: the first half and the last half stay, and a line between them says how
 * much is gone. Programs append to the file (O_APPEND), so it can be cut under them: their next write goes to its new end.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { sizeOf } from './ends.ts';

/** Cutting copies half of the cap, so it waits until this much more has come, as a share of the cap. */
const SLACK = 0.25;
const BLOCK = 256 * 1024;
const MARK = /\n\[dispatch: (\d+) bytes of output are left out here\]\n/;
/** Length of the longest mark. */
const MARK_BYTES = 96;

/** Returns true when the file was cut. What is written in the very moment of the cut may be lost with the middle. */
export function capLog(path: string, capBytes: number): boolean {
  if (capBytes <= 0 || sizeOf(path) <= capBytes * (1 + SLACK)) return false;
  const fd = openSync(path, 'r+');
  try {
    const half = Math.floor(capBytes / 2);
    const before = markAt(fd, half);
    const { size } = fstatSync(fd);
    const from = Math.max(half + before.length, size - half);
    const mark = `\n[dispatch: ${before.dropped + from - half - before.length} bytes of output are left out here]\n`;
    writeSync(fd, mark, half);
    let at = half + Buffer.byteLength(mark);
    // Reading goes on to the file's end as it is by then, so what arrives meanwhile is kept.
    const block = Buffer.allocUnsafe(BLOCK);
    for (let read = from, got = 0; (got = readSync(fd, block, 0, BLOCK, read)) > 0; read += got) {
      writeSync(fd, block, 0, got, at);
      at += got;
    }
    ftruncateSync(fd, at);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** The mark of an earlier cut, which is where this one begins. */
function markAt(fd: number, half: number): { dropped: number; length: number } {
  const buffer = Buffer.alloc(MARK_BYTES);
  const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, MARK_BYTES, half));
  const match = MARK.exec(text);
  return match?.index === 0
    ? { dropped: Number(match[1]), length: match[0].length }
    : { dropped: 0, length: 0 };
}
