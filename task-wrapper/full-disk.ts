/**
 * Whether the disk that attempts work on was full while one of them worked. What such an attempt came to says nothing of
 * its work: files of its agent are missing or cut short, and so may be those of its gate. It is lost then, as with a
 * machine that went down, and is done again.
 *
 * Nothing can be written on a full disk, and a supervisor that dies of it must not forget why: the moment is kept as a
 * file's time, which needs no room.
 */
import { closeSync, openSync, statSync, utimesSync } from 'node:fs';
import type { Outcome } from '../src/model/attempt.ts';
import { monotonicMs } from './host.ts';
import { freeSpace } from './probe.ts';
import type { Root } from './root.ts';

/** With less than this a program that writes its results fails, or does not know that it has. */
const ROOM = { bytes: 1024 * 1024, files: 16 };

export class FullDisk {
  readonly #root: Root;
  readonly #file: string;
  /** Monotonic milliseconds; null: not as far as is known. */
  #at: number | null;

  constructor(root: Root) {
    this.#root = root;
    this.#file = `${root.run}/full-at`;
    closeSync(openSync(this.#file, 'a', 0o600));
    const at = statSync(this.#file).mtimeMs;
    // Of another boot, or the moment at which the file was made.
    this.#at = at <= monotonicMs() ? at : null;
  }

  look(): void {
    const { bytes, files } = freeSpace(this.#root);
    if (bytes < ROOM.bytes || files < ROOM.files) this.note();
  }

  /** Somebody found no room. */
  note(): void {
    this.#at = monotonicMs();
    utimesSync(this.#file, this.#at / 1000, this.#at / 1000);
  }

  /**
   * The outcome as it counts.
   * @param since when the attempt began, monotonic milliseconds.
   */
  weighed(outcome: Outcome, since: number): Outcome {
    this.look();
    const spoilt = this.#at !== null && this.#at >= since && saysOfWork(outcome);
    return spoilt ? { kind: 'lost', why: 'no-space' } : outcome;
  }
}

/** A bad end that may be the disk's doing. A provider that refuses and a cage that was outgrown are causes of their own. */
function saysOfWork(outcome: Outcome): boolean {
  if (outcome.kind === 'failed') return outcome.refusal === undefined && outcome.limit === undefined;
  return outcome.kind === 'refused';
}
