/**
 * What an agent's own output says about a round: tokens, session, and whether its provider refused it. It never says
 * whether the work is good: exit codes and closing words of agents are not evidence, the gates are.
 */
import type { Usage } from '../model/attempt.ts';
import type { ExecutorDef } from '../model/executor.ts';
import { readAiderText } from './aider-text.ts';
import { readClaudeStream } from './claude-stream.ts';
import { readEventStream } from './event-stream.ts';
import type { ExecutorOutcome } from './executor-outcome.ts';
import { callOf } from './kinds.ts';
import { addUsage } from './usage.ts';

export type { ExecutorOutcome } from './executor-outcome.ts';

/** Reads the log of one round. Lines that are no events (stderr, garbage, a cut first or last line) are skipped. */
export function readOutcome(def: Pick<ExecutorDef, 'kind' | 'call'>, log: string): ExecutorOutcome {
  const { reads } = callOf(def);
  switch (reads) {
    case 'claude':
      return readClaudeStream(log);
    case 'aider':
      return readAiderText(log);
    case 'nothing':
      return { usage: null, sessionId: null, finished: false, apiError: null, text: null };
    default:
      return readEventStream(reads, log);
  }
}

/** True when its output says anything; otherwise the exit record, and a usage file, are all there is. */
export function isRead(def: Pick<ExecutorDef, 'kind' | 'call'>): boolean {
  return callOf(def).reads !== 'nothing';
}

/**
 * Usage of the rounds so far. An agent that counts the whole session says it again in each round.
 * @param rounds `before`: of the earlier rounds, null = unknown; `resumed`: this round went on with their session.
 */
export function totalUsage(
  def: Pick<ExecutorDef, 'kind' | 'call'>,
  { before, said, first, resumed }: Rounds,
): Usage | null {
  const { reads } = callOf(def);
  const { usage: spent, mainUsage: main = null } = said;
  if (first) return spent;
  const whole =
    typeof reads === 'object' ? reads.usage?.counts === 'session' : holds(spent, addUsage(before, main));
  return resumed && whole ? spent : addUsage(before, spent);
}

interface Rounds {
  readonly before: Usage | null;
  readonly said: Pick<ExecutorOutcome, 'usage' | 'mainUsage'>;
  readonly first: boolean;
  readonly resumed: boolean;
}

/** The count is of everything so far: it is no smaller than the earlier rounds and this one's main loop together. */
function holds(spent: Usage | null, sum: Usage | null): boolean {
  if (spent === null || sum === null) return false;
  const figures = ['inputTokens', 'outputTokens'] as const;
  return figures.every((name) => {
    const [all, parts] = [spent[name], sum[name]];
    return all !== null && parts !== null && all >= parts;
  });
}
