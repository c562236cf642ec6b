/**
 * Notices that a machine is back while its link waits for the back-off to end, or for its turn behind others that are
 * away. A whole login that fails is dear, for the server too, so it backs off to half a minute; a bare TCP connection costs
 * a packet, so it can be tried every second, and the link is up within seconds of the network's return.
 *
 * Only a change counts. A server of ssh speaks first, so there are three answers: nobody takes the connection, somebody
 * takes it and is silent (what is in between does, and the machine does not), or the server speaks, or closes it. A door
 * that answers as well at the first knock as it ever did was not what went wrong, and then the back-off stands.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Door } from '../transport/transport.ts';

export interface KnockTimings {
  /** From one knock to the next, and how long a connection may take, milliseconds. */
  readonly everyMs: number;
  /** How long a server may take to say its first word, milliseconds. */
  readonly wordMs: number;
  /** A machine that has been away for so long is knocked at ten times more rarely. */
  readonly eagerMs: number;
}

export const KNOCK: KnockTimings = { everyMs: 700, wordMs: 2000, eagerMs: 900_000 };

/** How far a knock got. */
const NOBODY = 0;
const SILENCE = 1;
const SERVER = 2;

/**
 * True when the door answers better than it did; false when the server was there from the start, or `signal` was aborted.
 * @param wasShut the last login ended without a word of the server: then already its first word is a change.
 */
export async function opensAgain(
  door: Door,
  signal: AbortSignal,
  { wasShut = false, timings = KNOCK }: { readonly wasShut?: boolean; readonly timings?: KnockTimings } = {},
): Promise<boolean> {
  const began = performance.now();
  let worst = wasShut ? SILENCE : SERVER;
  while (!signal.aborted) {
    const asked = performance.now();
    const answer = await knock(door, timings);
    if (signal.aborted) return false;
    if (answer > worst) return true;
    if (answer === SERVER) return false;
    worst = Math.min(worst, answer);
    const everyMs = asked - began < timings.eagerMs ? timings.everyMs : timings.everyMs * 10;
    const restMs = Math.max(0, everyMs - (performance.now() - asked));
    await delay(restMs, undefined, { signal, ref: false }).catch(() => {});
  }
  return false;
}

/** A connection that is made, and given up at the first word. */
function knock({ host, port }: Door, { everyMs, wordMs }: KnockTimings): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (far: number): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(far);
    };
    let late = setTimeout(answer, everyMs, NOBODY);
    let taken = false;
    socket.once('connect', () => {
      taken = true;
      clearTimeout(late);
      late = setTimeout(answer, wordMs, SILENCE);
    });
    socket.once('data', () => answer(SERVER));
    socket.once('end', () => answer(SERVER));
    // One that takes a connection and throws it away is there, and does not want us now.
    socket.on('error', () => answer(taken ? SERVER : NOBODY));
  });
}
