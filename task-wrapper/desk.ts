/** What an attempt needs from whoever drives it: the supervisor, or `advance` on the command line for an old attempt. */
import type { Outcome } from '../src/model/attempt.ts';
import type { JournalFact } from '../src/protocol/messages.ts';
import type { Token } from '../src/model/ids.ts';
import { isNoSpace } from './no-space.ts';
import type { Recorded } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { hasBegun, preempt } from './step.ts';

/** Why an attempt must stop, whatever it is doing. The first reason stays. */
export type Interrupt = { readonly why: 'cancel'; readonly reason: string } | { readonly why: 'deadline' };

export interface Desk {
  readonly root: Root;
  newSession(name: string, argv: readonly string[]): Promise<void>;
  report(fact: JournalFact): void;
  interrupt(): Interrupt | null;
}

/** Where an attempt stands when it cannot go on by itself. */
export type Stand =
  | {
      readonly is: 'waiting';
      /** Step that runs, as in its files' names. */
      readonly step: string;
      /** Monotonic milliseconds when this step must have ended; null: the attempt's deadline is enough. */
      readonly until: number | null;
    }
  | { readonly is: 'ended'; readonly outcome: Outcome };

/**
 * Starts a step that has been written. Asking twice is harmless: its name exists, or launch.sh finds it begun.
 * @throws Error when tmux does not do it. A server that only was slow may do it later, so the step cannot begin any more then.
 */
export async function launch(desk: Desk, { token, node }: Recorded, step: string): Promise<void> {
  const path = `${attemptDir(desk.root, token)}/${step}`;
  try {
    await desk.newSession(sessionOf(token, step), ['/bin/sh', node.launch, path]);
  } catch (error) {
    // A full disk is waited out, and the same step is asked for again.
    if (isNoSpace(error) || (await preempt(path)) === null) throw error;
  }
}

/** For a step that was written before: it runs, or has been asked for by a supervisor that may not have lived to see it. */
export async function launchAgain(desk: Desk, order: Recorded, step: string): Promise<void> {
  if (!hasBegun(`${attemptDir(desk.root, order.token)}/${step}`)) await launch(desk, order, step);
}

/** tmux turns `.` and `:` in names into `_` and matches prefixes; a token and a step have nothing to turn. */
export function sessionOf(token: Token, step: string): string {
  return `d_${token}_${step}`;
}
