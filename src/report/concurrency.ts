import type { Attempt } from '../model/attempt.ts';
import { isFinal, type Task } from '../model/task.ts';
import { endOf, isLive, spanOf } from './attempts.ts';
import type { Concurrency } from './model.ts';

/**
 * Concurrency used against possible, by sweeping over the moments at which either changed. Possible at a moment is the
 * number of tasks with all dependencies merged and their work not done, cut off at the slots: what a perfect scheduler
 * could have run if no two of them had wanted the same path.
 * @param slots of all nodes.
 * @returns null before the first attempt.
 */
export function concurrencyOf(
  tasks: readonly Task[],
  attempts: readonly Attempt[],
  slots: number,
  now: number,
): Concurrency | null {
  const work = attempts.filter(({ work: { kind } }) => kind === 'work');
  const window = spanOf(work, now);
  if (window === null) return null;
  const { from, to } = window;
  const used = new Steps();
  const wanted = new Steps();
  const all = new Steps();
  for (const attempt of attempts) all.span(attempt.claimedAt, endOf(attempt, now));
  for (const attempt of work) used.span(attempt.claimedAt, endOf(attempt, now));
  for (const [since, until] of wantedSpans(tasks, work, now)) wanted.span(since, until);
  const length = Math.max(1, to - from);
  return {
    slots,
    peak: all.peak(),
    used: used.area(from, to, Number.POSITIVE_INFINITY) / length,
    possible: wanted.area(from, to, slots) / length,
  };
}

/** A task could run from when its last dependency merged until its last attempt ended; one that is still open, until now. */
function wantedSpans(tasks: readonly Task[], work: readonly Attempt[], now: number): [number, number][] {
  const lastEnd = new Map<string, number>();
  for (const attempt of work) {
    lastEnd.set(attempt.task, Math.max(lastEnd.get(attempt.task) ?? 0, endOf(attempt, now)));
  }
  const live = new Set(work.filter(isLive).map(({ task }) => task));
  return tasks.flatMap((task): [number, number][] => {
    if (task.readySince === null) return [];
    const open = task.progress.at === 'open' || live.has(task.key);
    const over = isFinal(task.progress) && 'when' in task.progress ? task.progress.when : now;
    return [[task.readySince, open ? now : (lastEnd.get(task.key) ?? over)]];
  });
}

/** A number over time that goes up and down in steps. */
class Steps {
  readonly #changes = new Map<number, number>();

  span(from: number, to: number): void {
    if (to <= from) return;
    this.#changes.set(from, (this.#changes.get(from) ?? 0) + 1);
    this.#changes.set(to, (this.#changes.get(to) ?? 0) - 1);
  }

  peak(): number {
    let level = 0;
    let highest = 0;
    for (const [, change] of this.#sorted()) {
      level += change;
      highest = Math.max(highest, level);
    }
    return highest;
  }

  /** Integral over the window, each moment counting at most `cap`. */
  area(from: number, to: number, cap: number): number {
    let level = 0;
    let before = from;
    let area = 0;
    for (const [at, change] of this.#sorted()) {
      const until = Math.min(Math.max(at, from), to);
      area += Math.min(level, cap) * (until - before);
      before = until;
      level += change;
    }
    return area + Math.min(level, cap) * (to - before);
  }

  #sorted(): [number, number][] {
    return [...this.#changes].sort(([a], [b]) => a - b);
  }
}
