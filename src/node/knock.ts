/**
 * Notices that a machine is back while its link waits for the back-off to end. A whole login that fails is dear, for the
 * server too, so it backs off to half a minute; a bare TCP connection costs a packet, so it can be tried every second, and
 * the link is up within a second of the network's return.
 *
 * Only a change counts: a door that is open at the first knock was not what went wrong, and then the back-off stands.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Door } from '../transport/transport.ts';

export interface KnockTimings {
  /** From one knock to the next, and how long one may take, milliseconds. */
  readonly everyMs: number;
  /** A machine that has been away for so long is knocked at ten times more rarely. */
  readonly eagerMs: number;
}

export const KNOCK: KnockTimings = { everyMs: 700, eagerMs: 900_000 };

/** True when the door was shut and has opened; false when it was open from the start, or `signal` was aborted. Never rejects. */
export async function opensAgain(
  door: Door,
  signal: AbortSignal,
  timings: KnockTimings = KNOCK,
): Promise<boolean> {
  const began = performance.now();
  for (let knocks = 0; !signal.aborted; knocks += 1) {
    const asked = performance.now();
    if (await isOpen(door, timings.everyMs)) return knocks > 0 && !signal.aborted;
    const everyMs = asked - began < timings.eagerMs ? timings.everyMs : timings.everyMs * 10;
    const restMs = Math.max(0, everyMs - (performance.now() - asked));
    await delay(restMs, undefined, { signal, ref: false }).catch(() => {});
  }
  return false;
}

/** A connection that is made and given up at once. */
function isOpen({ host, port }: Door, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (open: boolean): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(open);
    };
    const late = setTimeout(answer, timeoutMs, false);
    socket.once('connect', () => answer(true));
    socket.on('error', () => answer(false));
  });
}
