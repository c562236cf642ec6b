import type { Usage } from '../model/attempt.ts';
import type { ApiError } from './api-error.ts';

/** What one round's own output says about it. */
export interface ExecutorOutcome {
  /** Of this round alone; null when the agent reported none. */
  readonly usage: Usage | null;
  /**
   * What the agent's main loop spent in this round. Claude Code counts each model of the round, subagents included, and in
   * newer versions of the whole resumed session (2.1.197: the round, 2.1.328: the session); this tells the two apart.
   */
  readonly mainUsage?: Usage | null;
  /** The session to resume in the next round. */
  readonly sessionId: string | null;
  /**
   * The stream holds the agent's closing event: the turn is over, even if the process still lives. A shell command has
   * no such event: always false, its exit record decides.
   */
  readonly finished: boolean;
  /** The last word of the provider was a refusal. Also set while the agent is still retrying, so it can be ended early. */
  readonly apiError: ApiError | null;
  /** The agent's closing words, for a person to read. */
  readonly text: string | null;
}
