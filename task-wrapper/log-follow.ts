/** Sends an attempt's log as chunks, and, when asked to, what comes later until the attempt ends. */
import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { CHUNK } from '../src/protocol/frame.ts';
import { sizeOf } from './ends.ts';

export interface LogReading {
  readonly path: string;
  readonly from: number;
  readonly follow: boolean;
  /** True once nothing more will be written. */
  readonly isOver: () => boolean;
  /** Calls back when that becomes true; returns how to take it back. */
  readonly onOver: (then: () => void) => () => void;
  /** Resolves when the receiver has taken the bytes; false: it is gone or has had enough. */
  readonly send: (bytes: Buffer) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** Where a watcher says nothing (a network file system), this is how late news may be. */
const UNSEEN_MS = 1000;

/** Returns the position after the last byte sent. */
export async function sendLog(reading: LogReading): Promise<number> {
  const bell = new Bell();
  const stopListening = reading.onOver(() => bell.ring());
  reading.signal.addEventListener('abort', () => bell.ring(), { once: true });
  let watcher: FSWatcher | null = null;
  let at = reading.from;
  try {
    for (;;) {
      // Asked before reading: what was written before the end is read after it.
      const over = !reading.follow || reading.isOver();
      if (reading.follow) watcher ??= watchQuietly(reading.path, () => bell.ring());
      at = await sendWhatIsThere(reading, at);
      if (over || reading.signal.aborted) return at;
      await bell.wait(UNSEEN_MS);
    }
  } finally {
    stopListening();
    watcher?.close();
  }
}

async function sendWhatIsThere(reading: LogReading, from: number): Promise<number> {
  const size = sizeOf(reading.path);
  // It was cut to its cap: a reader at its end stays at its end.
  if (size < from) return size;
  if (size === from) return from;
  const file = await open(reading.path, 'r');
  try {
    let at = from;
    while (!reading.signal.aborted) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
      if (bytesRead === 0 || !(await reading.send(buffer.subarray(0, bytesRead)))) return at;
      at += bytesRead;
    }
    return at;
  } finally {
    await file.close();
  }
}

function watchQuietly(path: string, then: () => void): FSWatcher | null {
  try {
    return watch(path, then).on('error', () => {});
  } catch {
    return null;
  }
}

/** A ring is remembered until somebody waits for it. */
class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(late);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#rung = false;
  }
}
