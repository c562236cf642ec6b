import { describe, expect, test } from 'vitest';
import { LiveUsage } from '../../src/executors/live-usage.ts';
import type { ExecutorKind } from '../../src/model/executor.ts';

const lines = (...events: readonly unknown[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

function read(kind: ExecutorKind, ...chunks: readonly string[]) {
  const live = new LiveUsage({ kind });
  for (const chunk of chunks) live.read(chunk);
  return live.usage;
}

const message = (id: string, input: number, output: number) => ({
  type: 'assistant',
  message: { id, usage: { input_tokens: input, cache_read_input_tokens: 7, output_tokens: output } },
});
const step = (input: number, output: number) => ({
  type: 'step_finish',
  part: { reason: 'tool-calls', tokens: { input, output, cache: { read: 3 } } },
});

describe('what a running agent has used so far', () => {
  test('is the sum of Claude’s messages, each counted once however often it is told', () => {
    const chunks = [lines(message('a', 10, 1), message('a', 10, 5)), lines('noise', message('b', 20, 2))];
    expect(read('claude', ...chunks)).toEqual({
      inputTokens: 30,
      outputTokens: 7,
      cachedTokens: 14,
      costUsd: null,
    });
  });

  test('is the sum of the steps of an agent that counts each', () => {
    expect(read('opencode', lines(step(10, 1)), lines(step(5, 1)))).toMatchObject({
      inputTokens: 15,
      outputTokens: 2,
    });
  });

  test('is not known of an agent that has told nothing yet, or never tells', () => {
    expect(read('claude', lines({ type: 'system', subtype: 'init' }))).toBeNull();
    expect(read('codex', lines({ type: 'turn.started' }))).toBeNull();
    expect(read('shell', lines(message('a', 10, 1)))).toBeNull();
  });
});
