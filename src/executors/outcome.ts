/**
 * What an agent's own output says about a round: tokens, session, and whether its provider refused it. It never says
 * whether the work is good: exit codes and closing words of agents are not evidence, the gates are.
 */
import { assertNever } from '../model/assert.ts';
import type { ExecutorDef } from '../model/spec.ts';
import { readClaudeStream } from './claude-stream.ts';
import type { ExecutorOutcome } from './executor-outcome.ts';

export type { ExecutorOutcome } from './executor-outcome.ts';

/** Reads the log of one round. Lines that are no events (stderr, garbage, a cut first or last line) are skipped. */
export function readOutcome(def: ExecutorDef, log: string): ExecutorOutcome {
  switch (def.kind) {
    case 'claude':
      return readClaudeStream(log);
    case 'shell':
      return { usage: null, sessionId: null, finished: false, apiError: null, text: null };
    default:
      return assertNever(def.kind);
  }
}
