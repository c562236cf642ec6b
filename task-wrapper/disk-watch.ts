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
/** Messages in a language that is known. */
const PLAIN = { PATH: process.env.PATH, LC_ALL: 'C' };

/** Bytes that the agent's files may take; null: it has no cage. */
export function diskOf({ cage, executor }: WorkOrder): number | null {
  return cageLevel(cage, executor) === 'none' ? null : (cage ?? DEFAULT_CAGE).limits.disk;
}

interface Look {
  /** When to look again, monotonic milliseconds; infinite while a look is under way. */
  readonly at: number;
  /** Something could not be looked into the last time. */
  readonly shut: boolean;
}

export class DiskWatch {
  readonly #everyMs: number;
  readonly #looks = new WeakMap<Entry, Look>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Looks when it is time to. @param over called when the files take more than they may. */
  look(entry: Entry, dir: string, over: () => void): void {
    const now = monotonicMs();
    const { step, diskBytes } = entry;
    const last = this.#looks.get(entry) ?? { at: entry.stepSince + this.#everyMs, shut: false };
    if (diskBytes === null || now < last.at) return;
    this.#looks.set(entry, { at: Number.POSITIVE_INFINITY, shut: last.shut });
    void bytesIn([`${dir}/tree`, `${dir}/home`, `${dir}/tmp`], last.shut).then(({ bytes, shut }) => {
      const then = monotonicMs();
      this.#looks.set(entry, { at: then + Math.max(this.#everyMs, SPACING * (then - now)), shut });
      if (bytes <= diskBytes || entry.step !== step) return;
      const said = `its files take ${formatSize(bytes)}, and may take ${formatSize(diskBytes)}`;
      appendFileSync(`${dir}/agent.log`, `\ndispatch: ${said}\n`);
      over();
    });
  }
}

/**
 * What the directories take on disk; those that are not there take nothing. Files that vanish meanwhile are no reason to
 * stop. A directory that nobody may look into is a test's for a moment; one that is still shut the next time is opened.
 */
async function bytesIn(dirs: readonly string[], open: boolean): Promise<{ bytes: number; shut: boolean }> {
  if (open) {
    const args = [...dirs, '-xdev', '-type', 'd', '!', '-perm', '-500', '-exec', 'chmod', 'u+rx', '{}', ';'];
    await run('find', args, { timeout: PATIENCE_MS }).catch(() => {});
  }
  const { stdout, stderr } = await run('du', ['-sxk', ...dirs], { timeout: PATIENCE_MS, env: PLAIN }).catch(
    (error: { stdout?: string; stderr?: string }) => ({
      stdout: error.stdout ?? '',
      stderr: error.stderr ?? '',
    }),
  );
  const lines = stdout.split('\n').map((line) => /^(\d+)\t/.exec(line));
  const bytes = lines.reduce((sum, found) => sum + Number(found?.[1] ?? 0) * 1024, 0);
  return { bytes, shut: stderr.includes('Permission denied') };
}
