/**
 * What a person did, as far as the log shows it, and how long that usually takes. Reading, thinking and writing specs leave
 * no event: the minutes are an estimate, said as one, and the same from day to day, so that days compare.
 */
import type { Fact } from '../../model/event.ts';
import type { State } from '../../model/state.ts';
import type { Act, PersonTime } from './model.ts';

/** Minutes of one act: to see what is asked, to decide, to type. */
export const ACT_MINUTES: Readonly<Record<Act, number>> = {
  approve: 3,
  reject: 5,
  'by-hand': 20,
  retry: 2,
  cancel: 1,
  revert: 3,
  queue: 1,
  collect: 2,
  start: 1,
  node: 1,
};

/** Acts of one kind within this span came from one command, such as `cancel --all`. */
const SAME_COMMAND_MS = 1000;

/** What a person did with this, or null. @param before state before the fact. */
export function actOf(fact: Fact, before: State): Act | null {
  switch (fact.type) {
    case 'task.reviewed':
      return fact.approved ? 'approve' : 'reject';
    case 'task.retried':
      return 'retry';
    case 'task.cancelled': {
      const progress = before.tasks.get(fact.task)?.progress;
      const attempt = progress?.at === 'attempt' ? before.attempts.get(progress.token) : undefined;
      // The node said so: whoever cancelled there did not do it here.
      return attempt?.phase.is === 'ended' ? null : 'cancel';
    }
    case 'task.handed':
      return 'by-hand';
    case 'revert.requested':
      // A part of the rejection that asked for it.
      return fact.again === true ? null : 'revert';
    case 'queue.held':
      return fact.by === 'dispatch' ? null : 'queue';
    case 'queue.released':
    case 'queue.fronted':
      return 'queue';
    case 'delivery.requested':
      return 'collect';
    case 'project.started':
      return 'start';
    case 'node.marked':
      return 'node';
    default:
      return null;
  }
}

/** Acts in the order of the log. */
export class Acts {
  readonly #counts = new Map<Act, { count: number; last: number }>();

  note(act: Act, at: number): void {
    const known = this.#counts.get(act);
    if (known === undefined) this.#counts.set(act, { count: 1, last: at });
    else {
      if (Math.abs(at - known.last) > SAME_COMMAND_MS) known.count += 1;
      known.last = at;
    }
  }

  sum(): PersonTime {
    const acts = [...this.#counts].map(([act, { count }]) => ({
      act,
      count,
      minutesEach: ACT_MINUTES[act],
    }));
    const minutes = acts.reduce((sum, { count, minutesEach }) => sum + count * minutesEach, 0);
    return { minutes, acts: acts.toSorted((a, b) => b.count - a.count) };
  }
}
