/** Both protocols against a real server, with everything that goes wrong on the way. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { ModelUse } from '../../src/model/model-use.ts';
import { type Answer, askModel, MOST_TRIES, type Question } from '../../src/models/ask.ts';
import { modelError } from '../../src/models/failure.ts';
import { KEY, type ModelProvider, modelProvider, useOf } from './provider.ts';

const COLOURS = z.object({ colours: z.array(z.string()) });
type Colours = z.infer<typeof COLOURS>;

const LIMIT_MS = 120_000;

function ask(use: ModelUse, more: Partial<Question<Colours>> = {}): Promise<Answer<Colours>> {
  return askModel({
    use,
    key: KEY,
    system: 'You name colours.',
    messages: [{ role: 'user', content: 'Which colours?' }],
    schema: COLOURS,
    signal: new AbortController().signal,
    ...more,
  });
}

async function saying(text: string): Promise<ModelProvider> {
  const provider = await modelProvider();
  provider.put('answer', text);
  provider.put('key', KEY);
  provider.put('model', 'mock-1');
  provider.behave('say:answer');
  return provider;
}

const failureOf = (answer: Answer<unknown>) => ('failure' in answer ? answer.failure : null);

for (const api of ['anthropic', 'openai'] as const) {
  describe(`asking over the ${api} protocol`, { timeout: LIMIT_MS }, () => {
    test('streams an answer of the form that was asked for, with the tokens it took', async () => {
      const provider = await saying('{ "colours": ["red", "blue"] }');
      for (const structured of ['schema', 'object', 'none'] as const) {
        const answer = await ask(useOf(api, provider.url, { structured }));
        expect(answer).toMatchObject({
          value: { colours: ['red', 'blue'] },
          usage: { input: 1200, output: 340 },
        });
      }
      const [asked] = provider.asked();
      expect(asked?.body).toMatchObject({ model: 'mock-1', stream: true, max_tokens: 4096 });
      // The form is in the request where the protocol has a place for it, and in words always.
      expect(JSON.stringify(asked?.body)).toMatch(api === 'openai' ? /"json_schema"/ : /"input_schema"/);
      expect(JSON.stringify(asked?.body)).toContain('Answer with one JSON object and nothing else');
    });

    test('takes JSON that a model wrapped in thoughts, a fence and a comma too many', async () => {
      const provider = await saying(
        '<think>{ maybe }</think>Here it is:\n```json\n{ "colours": ["a } b", "c",], // two\n}\n```\nDone.',
      );
      provider.behave('tell:answer');
      expect(await ask(useOf(api, provider.url, { structured: 'none' }))).toMatchObject({
        value: { colours: ['a } b', 'c'] },
      });
      // A model may also ignore the form that the protocol forces upon it.
      expect(await ask(useOf(api, provider.url))).toMatchObject({ value: { colours: ['a } b', 'c'] } });
    });

    test('says what is wrong with an answer that is no JSON, or of another form, with its words', async () => {
      const provider = await saying('{ "colours": ["red"');
      provider.put('form', '{ "colours": "red" }');
      provider.put('prose', 'Red and blue, I think.');
      provider.behave('tell:answer', 'tell:form', 'tell:prose');
      const use = useOf(api, provider.url, { structured: 'none' });
      expect(failureOf(await ask(use))).toMatchObject({ is: 'answer', said: 'the JSON object does not end' });
      expect(failureOf(await ask(use))).toMatchObject({
        is: 'answer',
        said: expect.stringContaining('colours'),
      });
      expect(failureOf(await ask(use))).toMatchObject({
        is: 'answer',
        said: 'there is no JSON object in the answer',
        text: 'Red and blue, I think.',
      });
    });

    test('waits as long as a busy provider asks, says so, and goes on; not for ever', async () => {
      const provider = await saying('{ "colours": [] }');
      provider.behave('refuse:429:rate_limit_error:3', 'refuse:529:overloaded_error:3', 'say:answer');
      const waits: string[] = [];
      const answer = await ask(useOf(api, provider.url), {
        onWait: ({ ms, why, next }) => waits.push(`${ms} ${next} ${why}`),
      });
      expect(answer).toMatchObject({ value: { colours: [] } });
      expect(waits).toEqual([
        expect.stringMatching(/^3 2 429: .*rate_limit_error/),
        expect.stringMatching(/^3 3 529: .*overloaded_error/),
      ]);
      provider.behave('refuse:429:rate_limit_error:1');
      const before = provider.asked().length;
      expect(failureOf(await ask(useOf(api, provider.url)))).toMatchObject({ is: 'busy', tries: MOST_TRIES });
      expect(provider.asked()).toHaveLength(before);
      // A provider that wants an hour is not waited for.
      provider.behave('refuse:429:rate_limit_error:3600000');
      expect(failureOf(await ask(useOf(api, provider.url)))).toMatchObject({ is: 'busy', tries: 1 });
    });

    test('a stream that is cut, or that ends without an end, is never half an answer', async () => {
      const provider = await saying('{ "colours": ["red"] }');
      for (const how of ['drop', 'end']) {
        provider.behave(how);
        expect(await waitsAfter(useOf(api, provider.url))).not.toBe('');
      }
      // It is asked again, and a whole answer counts; what the cut one took, nobody knows.
      provider.behave('end', 'say:answer');
      expect(await ask(useOf(api, provider.url), { firstWaitMs: 1 })).toMatchObject({
        value: { colours: ['red'] },
        usage: { input: null, output: null },
      });
    });

    test('names a wrong key, an unknown model, a refusal, an answer too long and a refused request', async () => {
      const provider = await saying('{ "colours": [] }');
      const use = useOf(api, provider.url);
      const wrong = await ask(use, { key: 'sk-wrong-0123456789' });
      expect(failureOf(wrong)).toMatchObject({ is: 'key-refused' });
      expect(failureOf(await ask({ ...use, model: 'mock-9' }))).toMatchObject({ is: 'unknown' });
      provider.behave(
        'decline',
        'long',
        'refuse:400:invalid_request_error',
        'refuse:429:1113 insufficient balance',
      );
      const refusal = failureOf(await ask(use));
      expect(refusal).toMatchObject({ is: 'refusal' });
      expect(failureOf(await ask(use))).toMatchObject({ is: 'too-long' });
      expect(failureOf(await ask(use))).toMatchObject({ is: 'request' });
      expect(failureOf(await ask(use))).toMatchObject({ is: 'account' });
      if (refusal === null || refusal.is === 'stopped') throw new Error('no refusal');
      expect(modelError(refusal, use)).toMatchObject({ code: 'E_MODEL_REFUSAL' });
    });

    test('ends an answer that never ends, and one that falls silent', async () => {
      const provider = await saying('{ "colours": ["red and much more than one slice of a stream"] }');
      provider.behave('flood');
      expect(failureOf(await ask(useOf(api, provider.url, { maxOutputTokens: 256 })))).toEqual({
        is: 'too-long',
      });
      provider.behave('endless', 'hang');
      const use = useOf(api, provider.url, { silenceMs: 50 });
      expect(failureOf(await ask(use))).toEqual({ is: 'timeout', silent: true });
      expect(failureOf(await ask(use))).toEqual({ is: 'timeout', silent: true });
      const slow = useOf(api, provider.url, { timeoutMs: 50 });
      expect(failureOf(await ask(slow))).toEqual({ is: 'timeout', silent: false });
    });

    test('shows a key nowhere, whatever the provider says', async () => {
      const provider = await saying(`{ "colours": ["${KEY}"] }`);
      const answer = await ask(useOf(api, provider.url));
      expect(answer).toMatchObject({ value: { colours: ['***'] } });
      provider.put('key', 'another');
      const failure = failureOf(await ask(useOf(api, provider.url)));
      expect(failure).toMatchObject({
        is: 'key-refused',
        said: expect.stringContaining('invalid api key ***'),
      });
      if (failure === null || failure.is === 'stopped') throw new Error('no failure');
      const error = modelError(failure, useOf(api, provider.url));
      expect(
        JSON.stringify([answer, failure, error.message, error.where, error.why, error.fix, error.stack]),
      ).not.toContain(KEY);
    });

    test('stops at once when it is told to', async () => {
      const provider = await saying('{ "colours": [] }');
      provider.behave('endless');
      const abort = new AbortController();
      const answer = ask(useOf(api, provider.url), { signal: abort.signal });
      abort.abort();
      expect(failureOf(await answer)).toEqual({ is: 'stopped' });
      provider.behave('refuse:429:rate_limit_error:100000');
      const waiting = new AbortController();
      const stopped = ask(useOf(api, provider.url), {
        signal: waiting.signal,
        onWait: () => waiting.abort(),
      });
      expect(failureOf(await stopped)).toEqual({ is: 'stopped' });
    });

    test('says that nobody is there', async () => {
      // A port that no client may use: nothing can be listening there.
      const use = useOf(api, 'http://127.0.0.1:9');
      expect(failureOf(await ask(use))).toMatchObject({
        is: 'unreachable',
        said: expect.stringContaining('port'),
      });
    });
  });
}

/** Why it would be asked again; the person stops it in the wait. */
async function waitsAfter(use: ModelUse): Promise<string> {
  const abort = new AbortController();
  let said = '';
  const answer = await ask(use, {
    signal: abort.signal,
    onWait: ({ why }) => {
      said = why;
      abort.abort();
    },
  });
  expect(answer).toEqual({ failure: { is: 'stopped' }, usage: { input: null, output: null, cached: null } });
  return said;
}
