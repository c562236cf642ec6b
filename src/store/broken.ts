/** The log of a home, and its state as it is stored, held against what must always hold. */
import type { Event } from '../model/event.ts';
import { evolve } from '../model/evolve.ts';
import { violations, watch } from '../model/invariants.ts';
import { emptyState } from '../model/state.ts';
import { surroundingsAnew } from '../schedule/surroundings.ts';
import type { Reader } from './port.ts';

export interface Broken {
  /** Since which event; null: what is stored now. */
  readonly event: { readonly seq: number; readonly type: string } | null;
  readonly what: string;
}

/** Events at once. */
const PAGE = 5000;
/** More of them say no more. */
const MOST = 20;

/** Reads the log once. What does not fit at all is for `replayCheck` to say: then only the stored state is looked at. */
export async function brokenIn(reader: Pick<Reader, 'events' | 'load'>): Promise<readonly Broken[]> {
  const stored = await reader.load();
  const now = violations(stored, surroundingsAnew(stored)).map((what) => ({ event: null, what }));
  return [...(await brokenEvents(reader)), ...now].slice(0, MOST);
}

async function brokenEvents(reader: Pick<Reader, 'events'>): Promise<Broken[]> {
  const state = emptyState();
  const look = watch(state);
  const found: Broken[] = [];
  for (let after = 0; found.length < MOST; ) {
    const page: readonly Event[] = await reader.events(after, PAGE);
    for (const event of page) {
      try {
        evolve(state, event);
      } catch (error) {
        if (error instanceof Error) return found;
        throw error;
      }
      const { seq, fact } = event;
      found.push(...look([event]).map((what) => ({ event: { seq, type: fact.type }, what })));
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.seq ?? after;
  }
  return found;
}
