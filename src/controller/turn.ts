import type { Fact, NewEvent, Source } from '../model/event.ts';
import { evolve } from '../model/evolve.ts';
import type { State } from '../model/state.ts';
import type { Memory } from './memory.ts';

/** One turn of the core: facts are applied as they are recorded, and become events of one transaction. */
export class Turn {
  readonly state: State;
  readonly memory: Memory;
  /** Wall clock at the start of the turn, milliseconds. */
  readonly now: number;
  readonly events: NewEvent[] = [];
  /** Of the controller whose turn it is. */
  readonly epoch: number;

  constructor(state: State, memory: Memory, epoch: number, now: number) {
    this.state = state;
    this.memory = memory;
    this.epoch = epoch;
    this.now = now;
  }

  /** Applies the fact to the state and keeps it for the commit. @throws IllegalFact when it does not fit. */
  record(fact: Fact, source: Source | null = null): void {
    const event: NewEvent = { at: this.now, epoch: this.epoch, fact, source };
    evolve(this.state, { ...event, seq: 0 });
    this.events.push(event);
  }

  /** Something becomes possible at this moment by time alone. */
  wakeAt(moment: number): void {
    this.memory.wakeups.add(moment);
  }
}
