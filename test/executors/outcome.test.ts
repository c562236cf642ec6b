import fc from '../property.ts';
import { describe, expect, test } from 'vitest';
import { apiErrorOf } from '../../src/executors/api-error.ts';
import { readOutcome } from '../../src/executors/outcome.ts';
import { addUsage, readUsageFile } from '../../src/executors/usage.ts';
import { definition, recorded } from './build.ts';

const read = (log: string) => readOutcome(definition(), log);
const event = (value: object): string => `${JSON.stringify(value)}\n`;
const result = (parts: object): string =>
  event({ type: 'result', subtype: 'success', is_error: false, session_id: 's', ...parts });

describe('a recorded stream of Claude Code', () => {
  test('of a finished turn gives its tokens, session and closing words', () => {
    expect(read(recorded('claude'))).toEqual({
      usage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: 0.002 },
      mainUsage: { inputTokens: 200, outputTokens: 40, cachedTokens: 0, costUsd: 0.002 },
      sessionId: 'e0b290dd-2231-45bd-884b-37a1b2e54640',
      finished: true,
      apiError: null,
      text: 'DONE: wrote hello.txt',
    });
  });

  test('of a resumed session keeps its id and counts the new turn alone', () => {
    const first = read(recorded('claude-round-1'));
    const second = read(recorded('claude-round-2'));
    expect(second.sessionId).toBe(first.sessionId);
    expect(first.usage?.inputTokens).toBe(200);
    expect(second.usage?.inputTokens).toBe(100);
    expect(addUsage(first.usage, second.usage)?.inputTokens).toBe(300);
  });

  test.each([
    ['claude-401', 401, false],
    ['claude-429', 429, true],
    ['claude-500', 500, true],
  ])('%s closes with "success" and is an error of the provider all the same', (name, status, retryable) => {
    const log = recorded(name);
    expect(log).toContain('"subtype":"success","is_error":true');
    const outcome = read(log);
    expect(outcome.finished).toBe(true);
    expect(outcome.apiError).toMatchObject({ status, retryable });
    expect(outcome.apiError?.message).toContain(String(status));
  });

  test('of a call that is still being retried names the refusal before the turn ends', () => {
    const outcome = read(recorded('claude-401-retrying'));
    expect(outcome).toMatchObject({ finished: false, usage: null, text: null });
    expect(outcome.apiError).toMatchObject({ status: 401, retryable: false });
  });

  test('of a refused turn has no usage: zeros that nobody counted are unknown', () => {
    expect(recorded('claude-429')).toContain('"input_tokens":0');
    expect(read(recorded('claude-429')).usage).toBeNull();
  });
});

describe('reading is tolerant', () => {
  test('of every cut: it never throws, and never takes a cut result for a finished turn', () => {
    const log = recorded('claude-round-1');
    const end = log.trimEnd().length;
    for (let cut = 0; cut < end; cut += 7) {
      const outcome = read(log.slice(0, cut));
      expect(outcome.finished).toBe(false);
      expect(outcome.usage).toBeNull();
    }
    expect(read(log.slice(1000)).finished).toBe(true);
  });

  test('of anything at all', () => {
    const json = fc
      .json()
      .map((text) => `{"type":"result","usage":${text},"modelUsage":${text},"result":${text}}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), json), { maxLength: 10 }), (parts) => {
        const { usage } = read(parts.join('\n'));
        for (const figure of Object.values(usage ?? {})) expect(figure === null || figure >= 0).toBe(true);
      }),
    );
  });

  test('of other output between the events', () => {
    const noise = 'npm warn something\n{"not": "an event"}\n{"type": 7}\n[1]\nnull\n{{{\n';
    const log = recorded('claude').split('\n').join(`\n${noise}`);
    expect(read(log)).toEqual(read(recorded('claude')));
  });

  test('of carriage returns and spaces around a line', () => {
    expect(read(recorded('claude').replaceAll('\n', '  \r\n'))).toEqual(read(recorded('claude')));
  });
});

describe('the provider', () => {
  test('is well again when a model answers after retries', () => {
    const retry = event({
      type: 'system',
      subtype: 'api_retry',
      error_status: 529,
      error: 'overloaded',
      session_id: 's',
    });
    expect(read(retry).apiError).toMatchObject({ status: 529, retryable: true });
    const answer = event({
      type: 'assistant',
      message: { model: 'm', content: [{ type: 'text', text: 'API Error' }] },
    });
    expect(read(retry + answer).apiError).toBeNull();
    expect(read(retry + result({ result: 'done' })).apiError).toBeNull();
  });

  test('limits the calls of one GLM key: code 1302 may pass, whatever status comes with it', () => {
    const text =
      'API Error: 429 {"error":{"code":"1302","message":"High concurrency usage of this API, please reduce concurrency"}}';
    expect(read(result({ is_error: true, result: text })).apiError).toMatchObject({
      status: 429,
      retryable: true,
    });
    expect(apiErrorOf(null, 'API Error: {"error":{"code":"1302","message":"x"}}')).toMatchObject({
      status: 429,
      retryable: true,
    });
    expect(apiErrorOf(200, '[1302] concurrency')).toMatchObject({ retryable: true });
  });

  test.each([
    ['API Error: 429 {"error":{"code":"1113","message":"Insufficient balance"}}', false],
    ['API Error: 429 {"error":{"code":1309,"message":"Your plan has expired"}}', false],
    ['API Error: 401 {"error":{"code":"1001","message":"Header missing"}}', false],
    ['API Error: 429 {"error":{"code":"1308","message":"Usage limit reached for 5 hour"}}', true],
    ['API Error: 529 {"type":"overloaded_error"}', true],
    ['API Error (Connection error.)', true],
    ['API Error: Request timed out.', true],
    ['Invalid API key · Please run /login', false],
    ['Not logged in · Please run /login', false],
    ['Credit balance is too low', false],
    ['Prompt is too long', false],
    ["You've hit your session limit · resets 3pm", true],
    ['API Error: 400 {"error":{"message":"model not found"}}', false],
  ])('says %j: may it pass by itself? %s', (text, retryable) => {
    expect(read(result({ is_error: true, result: text })).apiError?.retryable).toBe(retryable);
  });

  test.each([
    [{ is_error: false, result: '[API Error: 401 Incorrect API key provided]' }, 'login'],
    [{ is_error: true, subtype: 'error_during_execution', result: '[API Error: 429 slow down]' }, 'rate'],
    [{ is_error: true, result: undefined, error: { message: '[API Error: 401 no]' } }, 'login'],
  ])('refused a turn, says Qwen Code in its own way: %j', (parts, kind) => {
    expect(read(result(parts)).apiError).toMatchObject({ kind });
    expect(
      read(result({ is_error: false, result: 'done: [API Error: 401] is handled' })).apiError,
    ).toBeNull();
  });

  test.each([
    'refused: authentication_error',
    'Incorrect API key provided: sk-x',
    'invalid x-api-key',
    'API key not valid. Please pass a valid API key.',
  ])('refused the key, by its words alone: %s', (words) => {
    expect(apiErrorOf(null, words)).toMatchObject({ kind: 'login', retryable: false });
  });

  test('is not to blame for a turn that ended at a limit of its own', () => {
    const log = event({ type: 'result', subtype: 'error_max_turns', is_error: true, session_id: 's' });
    expect(read(log)).toMatchObject({ finished: true, apiError: null });
  });

  test('is to blame for a broken turn whose last words are a refusal', () => {
    const log = event({
      type: 'result',
      subtype: 'error_during_execution',
      is_error: true,
      result: 'API Error (Connection error.)',
    });
    expect(read(log).apiError).toMatchObject({ status: null, retryable: true });
    const words = {
      model: '<synthetic>',
      content: [{ type: 'text', text: 'Invalid API key · Please run /login' }],
    };
    expect(read(event({ type: 'assistant', message: words })).apiError).toMatchObject({
      status: 401,
      retryable: false,
    });
    const bare = { model: '<synthetic>', content: 'rate limited' };
    expect(read(event({ type: 'assistant', error: 'rate_limit', message: bare })).apiError).toMatchObject({
      status: 429,
    });
    const other = { model: '<synthetic>', content: [{ type: 'text', text: 'No response requested.' }] };
    expect(read(event({ type: 'assistant', message: other })).apiError).toBeNull();
  });

  test('is quoted on one line, without control sequences', () => {
    const error = read(
      result({ is_error: true, api_error_status: 500, result: '\u001b[31mAPI Error:\n 500' }),
    ).apiError;
    expect(error?.message).toBe('API Error: 500');
  });
});

describe('usage', () => {
  test('counts every model of the turn, and the cache apart', () => {
    const log = result({
      total_cost_usd: 0.5,
      usage: { input_tokens: 1, output_tokens: 1 },
      modelUsage: {
        big: { inputTokens: 100, outputTokens: 10, cacheReadInputTokens: 1000, cacheCreationInputTokens: 50 },
        small: { inputTokens: 7, outputTokens: 3, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
      },
    });
    expect(read(log).usage).toEqual({ inputTokens: 157, outputTokens: 13, cachedTokens: 1000, costUsd: 0.5 });
  });

  test('falls back to the main loop when no model is named', () => {
    const usage = { input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 3 };
    expect(read(result({ usage, modelUsage: {} })).usage).toEqual({
      inputTokens: 7,
      outputTokens: 3,
      cachedTokens: null,
      costUsd: null,
    });
  });

  test('that is missing is null, never zero', () => {
    expect(read(result({})).usage).toBeNull();
    expect(read(result({ usage: {} })).usage).toBeNull();
    expect(read(result({ usage: { output_tokens: 4 } })).usage).toMatchObject({
      inputTokens: null,
      outputTokens: 4,
    });
  });

  test('of a sum is unknown where a part is unknown', () => {
    const known = { inputTokens: 1, outputTokens: 2, cachedTokens: 3, costUsd: 4 };
    expect(addUsage(known, { ...known, costUsd: null })).toEqual({
      inputTokens: 2,
      outputTokens: 4,
      cachedTokens: 6,
      costUsd: null,
    });
    expect(addUsage(known, null)).toBeNull();
  });

  test('of a shell command is the JSON file that it may write', () => {
    expect(readUsageFile('{"inputTokens": 10, "outputTokens": 2}')).toEqual({
      inputTokens: 10,
      outputTokens: 2,
      cachedTokens: null,
      costUsd: null,
    });
    for (const text of [
      '',
      'x',
      '[]',
      '{}',
      'null',
      '{"inputTokens": -1}',
      '{"inputTokens": "5"}',
      '{"inputTok',
    ]) {
      expect(readUsageFile(text)).toBeNull();
    }
  });

  test('of a shell command is never read from what it prints', () => {
    const shell = definition({ kind: 'shell', command: ['true'] });
    expect(readOutcome(shell, recorded('claude'))).toEqual({
      usage: null,
      sessionId: null,
      finished: false,
      apiError: null,
      text: null,
    });
  });
});
