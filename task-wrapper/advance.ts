/** One door for both kinds of attempt: goes on from where the files say, until it has to wait for a command or has ended. */
import type { JournalFact } from '../src/protocol/messages.ts';
import type { Token } from '../src/model/ids.ts';
import { assertNever } from '../src/model/assert.ts';
import type { Desk, Interrupt, Stand } from './desk.ts';
import { advanceGate } from './gate.ts';
import { readCancel, readOrder } from './record.ts';
import { attemptDir, type Root } from './root.ts';
import { tmux } from './tmux.ts';
import { advanceWork } from './work.ts';

/** @throws what nobody foresaw; the driver ends the attempt with it. */
export async function advance(desk: Desk, token: Token): Promise<Stand> {
  const order = readOrder(attemptDir(desk.root, token));
  if (order === null) return { is: 'ended', outcome: { kind: 'lost', why: 'wiped' } };
  const { work } = order;
  switch (work.kind) {
    case 'work':
      return await advanceWork(desk, order, work);
    case 'gate':
      return await advanceGate(desk, order, work);
    default:
      return assertNever(work);
  }
}

/** What `advance` on the command line prints: the facts to journal, then the stand, one JSON a line. */
export type AdvanceLine = { readonly fact: JournalFact } | { readonly stand: Stand };

/** `task-wrapper advance <token>`: an attempt of another protocol version is taken on by the program that claimed it, one call at a time. */
export async function advanceOnce(root: Root, token: Token, why: Interrupt['why'] | null): Promise<void> {
  const print = (line: AdvanceLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const dir = attemptDir(root, token);
  const desk: Desk = {
    root,
    newSession: async (name, argv) => void (await tmux(root, ['new-session', '-d', '-s', name, ...argv])),
    report: (fact) => print({ fact }),
    interrupt: () => interruptOf(why, readCancel(dir)),
  };
  print({ stand: await advance(desk, token) });
}

function interruptOf(why: Interrupt['why'] | null, cancel: string | null): Interrupt | null {
  if (why === 'cancel') return { why, reason: cancel ?? '' };
  return why === null ? null : { why };
}
