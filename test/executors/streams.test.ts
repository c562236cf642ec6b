/** Recorded streams of the other agents, from the programs themselves. */
import { describe, expect, test } from 'vitest';
import { readOutcome, totalUsage } from '../../src/executors/outcome.ts';
import { EXECUTOR_KINDS, type ExecutorKind } from '../../src/model/executor.ts';
import { recorded } from './build.ts';

const read = (kind: ExecutorKind, log: string) => readOutcome({ kind }, log);
const DONE = { finished: true, apiError: null, text: 'DONE: wrote hello.txt' };

describe('a recorded stream', () => {
  test('of Codex gives tokens without money, the thread and the closing words', () => {
    expect(read('codex', recorded('codex'))).toEqual({
      usage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: null },
      sessionId: '01a1f75c-0733-72a3-aeee-6a53890bf071',
      ...DONE,
    });
  });

  test('of Gemini gives tokens, the session and the closing words', () => {
    expect(read('gemini', recorded('gemini'))).toEqual({
      usage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: null },
      sessionId: '43f717b1-e974-466c-a769-d264ca6d80e0',
      ...DONE,
    });
  });

  test('of Qwen is like Claude Code’s, without money', () => {
    expect(read('qwen', recorded('qwen'))).toEqual({
      usage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: null },
      mainUsage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: null },
      sessionId: 'd6101401-7ad2-4350-b5ab-e032725f0438',
      ...DONE,
    });
  });

  test('of OpenCode adds its steps up; the step that asks for no tool is the last', () => {
    const log = recorded('opencode');
    expect(read('opencode', log)).toEqual({
      usage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: 0 },
      sessionId: 'ses_e08a3d614ffe1QdTLYxZUP2sVX',
      ...DONE,
    });
    const first = log.split('\n').slice(0, 3).join('\n');
    expect(read('opencode', first)).toMatchObject({ finished: false, text: null });
  });
});

describe('Codex', () => {
  test.each([
    ['codex-401', 'login', 401],
    ['codex-429', 'rate', 429],
    ['codex-500', 'overload', null],
  ])('%s: the last word of a failed turn is the provider’s', (name, kind, status) => {
    const outcome = read('codex', recorded(name));
    expect(outcome).toMatchObject({ finished: true, usage: null, text: null });
    expect(outcome.apiError).toMatchObject({ kind, status });
  });

  test('is refused while it still tries, and well again once the model answers', () => {
    const lines = recorded('codex-429').split('\n');
    const trying = lines.slice(0, 5).join('\n');
    expect(read('codex', trying)).toMatchObject({ finished: false, apiError: { kind: 'rate' } });
    const answer = recorded('codex').split('\n').slice(3).join('\n');
    expect(read('codex', `${trying}\n${answer}`)).toMatchObject(DONE);
  });

  test('counts the whole thread: what a resumed round says is not added to the one before', () => {
    const first = read('codex', recorded('codex-round-1')).usage;
    const second = read('codex', recorded('codex-round-2')).usage;
    expect([first?.inputTokens, second?.inputTokens]).toEqual([200, 300]);
    const rounds = { before: first, said: { usage: second }, first: false };
    expect(totalUsage({ kind: 'codex' }, { ...rounds, resumed: true })?.inputTokens).toBe(300);
    expect(totalUsage({ kind: 'codex' }, { ...rounds, resumed: false })?.inputTokens).toBe(500);
    expect(totalUsage({ kind: 'claude' }, { ...rounds, resumed: true })?.inputTokens).toBe(500);
  });

  test('counts what came from the cache among its input, and we do not', () => {
    const usage = { input_tokens: 1000, cached_input_tokens: 900, output_tokens: 5 };
    const log = JSON.stringify({ type: 'turn.completed', usage });
    expect(read('codex', log).usage).toMatchObject({ inputTokens: 100, cachedTokens: 900 });
  });
});

describe('Claude Code', () => {
  const closing = (input: number, all: number) =>
    JSON.stringify({
      type: 'result',
      subtype: 'success',
      is_error: false,
      result: 'done',
      session_id: 's',
      usage: { input_tokens: input, output_tokens: 40 },
      modelUsage: { m: { inputTokens: all, outputTokens: (40 * all) / input, cacheReadInputTokens: 0 } },
    });
  const before = { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: null };
  const total = (log: string, resumed = true) =>
    totalUsage({ kind: 'claude' }, { before, said: read('claude', log), first: false, resumed })?.inputTokens;

  test('counts a resumed session as a whole in newer versions and the round in older ones', () => {
    expect(total(closing(200, 400))).toBe(400);
    expect(total(closing(200, 200))).toBe(400);
    expect(total(closing(200, 400), false)).toBe(600);
  });

  test('that used subagents is not taken for one that counts the session', () => {
    expect(total(closing(200, 300))).toBe(500);
  });
});

describe('Qwen Code', () => {
  test('counts a resumed session as a whole, which its answers of the round give away', () => {
    const usage = { input_tokens: 100, output_tokens: 20 };
    const answer = (id: number, more: object = {}): string =>
      JSON.stringify({ type: 'assistant', message: { id, model: 'm', content: [], usage }, ...more });
    const closing = (input: number): string =>
      JSON.stringify({
        type: 'result',
        is_error: false,
        result: 'done',
        session_id: 's',
        usage: { input_tokens: input, output_tokens: input / 5 },
      });
    const before = { inputTokens: 200, outputTokens: 40, cachedTokens: null, costUsd: null };
    const total = (...log: string[]): number | null | undefined =>
      totalUsage(
        { kind: 'qwen' },
        { before, said: read('qwen', log.join('\n')), first: false, resumed: true },
      )?.inputTokens;
    const helper = answer(3, { parent_tool_use_id: 'x' });
    expect(total(answer(1), answer(1), answer(2), helper, closing(400))).toBe(400);
    expect(total(answer(1), answer(2), closing(200))).toBe(400);
    expect(total(closing(200))).toBe(400);
  });
});

describe('Aider', () => {
  test('counts in text, rounded, message by message', () => {
    const log = `Applied edit to a.py
Tokens: 2.4k sent, 1.1k cache hit, 312 received. Cost: $0.0123 message, $0.02 session.
Tokens: 600 sent, 1.2k received. Cost: $0.01 message, $0.03 session.`;
    expect(read('aider', log).usage).toEqual({
      inputTokens: 3000,
      outputTokens: 1512,
      cachedTokens: null,
      costUsd: expect.closeTo(0.0223, 6),
    });
    expect(read('aider', 'Tokens: 12 sent, 3 received.').usage).toMatchObject({ costUsd: null });
  });

  test('prints its provider’s refusals by name', () => {
    const log = 'litellm.RateLimitError: AnthropicException - rate limited\nRetrying in 0.2 seconds...\n';
    expect(read('aider', log).apiError).toMatchObject({ kind: 'rate', status: 429 });
    expect(read('aider', `${log}Tokens: 12 sent, 3 received.`).apiError).toBeNull();
    const login = 'litellm.AuthenticationError: invalid x-api-key';
    expect(read('aider', login).apiError).toMatchObject({ kind: 'login', retryable: false });
    expect(read('aider', 'TypeError: x is not a function').apiError).toBeNull();
  });
});

test('every reader takes every stream, whole or cut, and never throws', () => {
  const names = ['claude', 'codex', 'gemini', 'qwen', 'opencode', 'codex-429', 'claude-401'];
  for (const kind of EXECUTOR_KINDS) {
    for (const log of names.map(recorded)) {
      for (let cut = 0; cut <= log.length; cut += 97) expect(read(kind, log.slice(cut)).usage).not.toBe(0);
      expect(read(kind, log.slice(0, 30))).toMatchObject({ finished: false });
    }
  }
});
