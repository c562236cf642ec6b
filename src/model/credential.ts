/** Keys to model providers: how many calls they may carry at once, and what their providers have said about that. */
import { MOST_WAIT_MS } from './time.ts';
import type { RefusalKind } from './attempt.ts';

/** One key, as executors.yaml describes it. */
export interface CredentialDef {
  readonly name: string;
  /** Attempts at once, on all nodes together; null: no bound is known. */
  readonly maxInFlight: number | null;
  /** Where a node finds it, in place of the executor's own secrets; null: those are meant. */
  readonly secrets: Readonly<Record<string, { env?: string; file?: string }>> | null;
}

/** What is known of a key that was refused at least once. */
export interface Credential {
  readonly name: string;
  /** Attempts that it carries at once, as far as its provider showed; a fraction grows into the next one. null: not known. */
  limit: number | null;
  /** Attempts at once when it was last refused for being too busy; null: it never was. */
  seen: number | null;
  /** Wall clock before which no attempt starts with it; 0 when it is free. */
  notBefore: number;
  /** Refusals in a row. */
  strikes: number;
  /** The last refusal. */
  refused: { readonly at: number; readonly why: RefusalKind; readonly message: string };
  /** Refusals that lowered it, ever. */
  refusals: number;
}

/** It passes by itself; otherwise a person has to mend the key or its account. */
export function passes(why: RefusalKind): boolean {
  return why !== 'login' && why !== 'account';
}

/** Until when it is left alone; null: it is not. */
export function sparedUntil(known: Credential | undefined, now: number): number | null {
  if (known === undefined || known.notBefore <= now) return null;
  return isOfAnotherTime(known, now) ? null : known.notBefore;
}

/** A refusal of a time to come was heard before the clock was set back: it binds nobody, and comes before whatever is now. */
export function isOfAnotherTime({ refused }: Credential, now: number): boolean {
  return refused.at - now > MOST_WAIT_MS;
}
