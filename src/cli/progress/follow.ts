/** Shows what a controller in another process does, as the store has it, until there is nothing more to see. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../model/event.ts';
import type { HomeView } from '../view.ts';
import type { Interrupt } from './interrupt.ts';
import type { Screen } from './screen.ts';
import { keepForSummary } from './summary.ts';

/** How often the store is looked at. Milliseconds. */
const LOOK_MS = 200;

/** Events read at once. */
const PAGE = 1000;

export interface Followed {
  /** What ended it: it was over, a signal, or the controller went away. */
  readonly end: 'over' | 'gone' | Interrupt;
  /** For the summary. */
  readonly events: readonly Event[];
}

export interface FollowOptions {
  readonly view: HomeView;
  /** Events up to this one were there before. */
  readonly since: number;
  readonly screen: Screen;
  readonly stop: Promise<Interrupt>;
  /** Asked after each look. @param fresh events since the look before. */
  readonly over: (fresh: readonly Event[]) => boolean;
  /** How long a home may be without a controller, milliseconds: one that is supervised comes back. */
  readonly patienceMs: number;
}

export async function follow(options: FollowOptions): Promise<Followed> {
  const { view, since, screen, stop, over, patienceMs } = options;
  const kept: Event[] = [];
  let gone: number | null = null;
  for (let seq = since; ; ) {
    await view.refresh();
    const fresh = await view.reader.events(seq, PAGE);
    screen.events(fresh, view.state);
    kept.push(...fresh.filter(keepForSummary));
    seq = fresh.at(-1)?.seq ?? seq;
    const isOver = over(fresh);
    // More of what led to it is still to be shown.
    if (fresh.length === PAGE) continue;
    if (isOver) return { end: 'over', events: kept };
    gone = view.holder === null ? (gone ?? performance.now()) : null;
    if (gone !== null && performance.now() - gone >= patienceMs) return { end: 'gone', events: kept };
    const signal = await Promise.race([sleep(LOOK_MS), stop]);
    if (signal !== undefined) return { end: signal, events: kept };
  }
}
