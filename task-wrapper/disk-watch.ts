/**
 * How much the files of an agent take. A quota for one attempt of many of the same account does not exist everywhere, so
 * they are counted from time to time by `du`; a tree of 100,000 files takes it a third of a second, so the looks are spaced
 * by what they cost and never take more than a twentieth of a core.
 */
import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { cageLevel, DEFAULT_CAGE } from '../src/model/cage.ts';
import { formatSize } from '../src/model/size.ts';
import type { WorkOrder } from '../src/protocol/order.ts';
import type { Entry } from './attempts.ts';
import { monotonicMs } from './host.ts';

const run = promisify(execFile);

/** A look of this many milliseconds is followed by twenty times as many without one. */
const SPACING = 20;
const PATIENCE_MS = 60_000;

/** Bytes that the agent's files may take; null: it has no cage. */
export function diskOf({ cage, executor }: WorkOrder): number | null {
  return cageLevel(cage, executor) === 'none' ? null : (cage ?? DEFAULT_CAGE).limits.disk;
}

export class DiskWatch {
  readonly #everyMs: number;
  /** When to look again, monotonic milliseconds; infinite while a look is under way. */
  readonly #next = new WeakMap<Entry, number>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Looks when it is time to. @param over called when the files take more than they may. */
  look(entry: Entry, dir: string, over: () => void): void {
    const now = monotonicMs();
    const { step, diskBytes } = entry;
    if (diskBytes === null || now < (this.#next.get(entry) ?? entry.stepSince + this.#everyMs)) return;
    this.#next.set(entry, Number.POSITIVE_INFINITY);
    void bytesIn([`${dir}/tree`, `${dir}/home`, `${dir}/tmp`]).then((bytes) => {
      const then = monotonicMs();
      this.#next.set(entry, then + Math.max(this.#everyMs, SPACING * (then - now)));
      if (bytes <= diskBytes || entry.step !== step) return;
      const said = `its files take ${formatSize(bytes)}, and may take ${formatSize(diskBytes)}`;
      appendFileSync(`${dir}/agent.log`, `\ndispatch: ${said}\n`);
      over();
    });
  }
}

/** What the directories take on disk; those that are not there take nothing. Files that vanish meanwhile are no reason to stop. */
async function bytesIn(dirs: readonly string[]): Promise<number> {
  const { stdout } = await run('du', ['-sxk', ...dirs], { timeout: PATIENCE_MS }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  const lines = stdout.split('\n').map((line) => /^(\d+)\t/.exec(line));
  return lines.reduce((sum, found) => sum + Number(found?.[1] ?? 0) * 1024, 0);
}
