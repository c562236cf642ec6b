import { MOST_WAIT_MS } from '../model/time.ts';

/** How patient the controller is. One place, so that the figures can be read and argued about together. Milliseconds. */

/** First delay after a failed attempt, doubled with each further one. */
const ATTEMPT_BACKOFF = 10_000;
const ATTEMPT_BACKOFF_MAX = MOST_WAIT_MS;
/** An attempt that was lost with its node starts again soon: nobody's work is to blame. */
const LOSS_BACKOFF = 1_000;
/** First delay before a failed effect is tried again, doubled with each further failure. */
const EFFECT_BACKOFF = 250;
const EFFECT_BACKOFF_MAX = 30_000;

/** Losses after which a task stops moving from node to node: something about it kills them. */
export const MAX_LOSSES = 5;
/** Times a task goes back to an agent for a conflict or a red merge gate; then it waits for a person. */
export const MAX_RETURNS = 3;
/** Times a gate may break before a person is asked. */
export const MAX_GATE_BREAKS = 3;
/** Orders a node refuses for reasons of its own before the attempt is given up. */
export const MAX_START_TRIES = 5;
/** Things that the state refuses before what the controller believes is in doubt. */
export const MAX_ASIDES = 3;
/** Times the target may move during one collect. */
export const MAX_RACES = 10;
/** How long a node that lacks space or a program gets no new attempt. */
export const SHUN_MS = 60_000;

/** Delay before attempt n+1 after `failures` failures. */
export function attemptBackoff(failures: number): number {
  return Math.min(ATTEMPT_BACKOFF_MAX, ATTEMPT_BACKOFF * 2 ** Math.max(0, failures - 1));
}
export function lossBackoff(losses: number): number {
  return Math.min(ATTEMPT_BACKOFF_MAX, LOSS_BACKOFF * 4 ** Math.max(0, losses - 1));
}
export function effectBackoff(tries: number): number {
  return Math.min(EFFECT_BACKOFF_MAX, EFFECT_BACKOFF * 2 ** Math.max(0, tries - 1));
}
