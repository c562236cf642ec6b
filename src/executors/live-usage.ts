/**
 * What a running agent has used so far, from its stream as it grows: for the limit of its attempt, which nobody enforces if
 * only a closing event counts. A lower bound: an agent that tells nothing before its turn is over has used nothing yet, and
 * Claude Code tells a message's output when it has hardly begun.
 */
import type { Usage } from '../model/attempt.ts';
import type { ExecutorDef } from '../model/executor.ts';
import { readAiderText } from './aider-text.ts';
import { countedIn } from './event-stream.ts';
import { jsonLines } from './json-lines.ts';
import { callOf } from './kinds.ts';
import { addUsage, isRecord, usageOf } from './usage.ts';

export class LiveUsage {
  readonly #reads: ReturnType<typeof callOf>['reads'];
  /** Of Claude's messages: one is told again with each of its parts. */
  readonly #messages = new Map<string, Usage>();
  #usage: Usage | null = null;

  constructor(def: Pick<ExecutorDef, 'kind' | 'call'>) {
    this.#reads = callOf(def).reads;
  }

  /** @param lines whole lines, each given once. */
  read(lines: string): void {
    const reads = this.#reads;
    if (reads === 'nothing') return;
    if (reads === 'claude') return this.#readClaude(lines);
    if (reads === 'aider') return this.#add(readAiderText(lines).usage);
    const { usage } = reads;
    if (usage === null) return;
    for (const event of jsonLines(lines)) {
      const counted = countedIn(usage, event);
      if (usage.counts === 'event') this.#add(counted);
      else this.#usage = counted ?? this.#usage;
    }
  }

  /** Of this round, as it counts: null when nothing was told yet. */
  get usage(): Usage | null {
    let sum = this.#usage;
    for (const usage of this.#messages.values()) sum = sum === null ? usage : addUsage(sum, usage);
    return sum;
  }

  #add(counted: Usage | null): void {
    if (counted !== null) this.#usage = this.#usage === null ? counted : addUsage(this.#usage, counted);
  }

  #readClaude(lines: string): void {
    for (const event of jsonLines(lines)) {
      const { message } = event;
      if (event.type !== 'assistant' || !isRecord(message) || !isRecord(message.usage)) continue;
      const { usage, id } = message;
      const written = usage.cache_creation_input_tokens;
      const fresh = usage.input_tokens;
      const input =
        typeof fresh === 'number' ? fresh + (typeof written === 'number' ? written : 0) : undefined;
      const counted = usageOf(input, usage.output_tokens, usage.cache_read_input_tokens, null);
      if (counted !== null)
        this.#messages.set(typeof id === 'string' ? id : `${this.#messages.size}`, counted);
    }
  }
}
